"""`python -m trainables.pretrain`: train a backbone from an image folder, for `--weights`.

`from_scratch` is the training loop with its crops, and `recipe` its settings. The search does not
use this package.
"""

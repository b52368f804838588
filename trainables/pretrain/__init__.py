"""`python -m trainables.pretrain`: train a backbone from an image folder, for `--weights`.

`from_scratch` is the training loop and `recipe` its settings. The search does not use this package;
the embedded weights were made by it (`trainables/assets/README.md`).
"""

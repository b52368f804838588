"""Changed pictures: what a shortcut test shows to the model instead of the original.

`changes` makes the pictures (another background, another hue, a pasted texture, ...), `donors`
chooses where a background comes from, `treatments` names the versions and their controls, `battery`
runs the model on all of them, and `variants` is the table of its answers, which is saved with the
report.

A new change is added in `changes` and `treatments`. Arrays in, arrays out; pictures are uint8.
"""

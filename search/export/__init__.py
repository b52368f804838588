"""`python -m search.export RUN`: the best checkpoint as a folder to ship.

`exporting` writes the formats, reloads each and compares its answers with the checkpoint's;
`model_card` writes the README of the folder, with the `figures` that the run's records have and the
`licences` it stands under. The formats themselves are in `trainables.models`.
"""

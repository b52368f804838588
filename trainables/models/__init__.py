"""The network, its weights, and the forms in which it is saved.

`network` builds a backbone with a new head and says which part is trained; `weights` loads the
backbone's weights: named ones, or a file's (`weight_paths`, `weight_files` and `weight_places` say
which file, what it holds and where in it the backbone is), and `run_weights` those that a run was
made on; `resize` turns uint8 pictures into the network's input. `checkpoints` is the format of a
checkpoint and `checkpoint_folders` those of one trial, on disk or in a store. `exported` reads an
exported model; `formats`, `graphs` and `graph_models` are its other formats (ONNX, torch.export).

A new backbone is a row of `trainables.backbones`; one that is no ResNet also needs its parts in
`network`. A new export format is added in `formats`. The checkpoint's format must stay readable: a
run that began earlier is resumed from it.
"""

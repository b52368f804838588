"""What a person sees of a run while it goes on and when it ends.

`lines` prints a line an epoch, `live` draws a picture on a terminal, with `gpus` and `time_left`;
`tensorboard` writes events, with `pictures` of predictions; `summary` ends a run. All of them are
listeners of the run record: they read it and change nothing.
"""

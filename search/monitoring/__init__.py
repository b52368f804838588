"""What a person sees of a run while it goes on and when it ends.

`lines` prints a line an epoch; `live` draws a picture on a terminal, with `gpus` and `time_left`;
`tensorboard` writes curves and `pictures` of predictions through `events`; `summary` ends a run.
All but the last are listeners of the run record: they read it and change nothing.

Another progress line is added in `lines` or `live`.
"""

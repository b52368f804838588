"""`python -m search.plan`: what a search would take in time, GPU-hours and money.

`probe` times a few real steps, `costs` turns them into seconds a trial, `forecast` simulates the
search with its scheduler, and `planning` fits trials into GPUs. `table` prints the result. From
outside: `planning.pack_gpus`.
"""

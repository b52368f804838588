"""`python -m search.plan`: what a search would take in time, GPU-hours and money.

`planning` does it in order: `probe` times a few real steps, `flops` and `costs` turn them into
seconds a trial, `forecast` simulates the search with its scheduler, and `table` prints the result.

From outside: `packing.pack_gpus`, how many trials share a GPU.
"""

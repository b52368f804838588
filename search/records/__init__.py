"""The run folder as the search writes it.

`folder` says where each record lies and opens a run; `record` is the state of a run, computed from
its journal, with the names that all packages share and the base class of those who listen; `tables`
writes trials.parquet and epochs.parquet, `environment` the versions and the hardware, and `disk`
watches the space that checkpoints take.

From outside: all of it. What is written may grow, but a run folder that an older version wrote must
still be read and resumed.
"""

"""Reads a run folder, without Ray and without `search`.

`reader` reads the records into one `Run`, `sealed_test` opens the test split and notes the opening
in the journal, and `predict` computes predictions of a checkpoint and of freshly trained models.

From outside: `read_run`, `open_test` and the prediction functions. It changes nothing in a run
folder but the line in the journal.
"""

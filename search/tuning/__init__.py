"""The search itself: which configurations are trained, and for how long.

`preparation` checks the pictures and makes the run folder. `study` is the Optuna study on disk
(`study_log` repairs its file), `searchers` hands its configurations to Tune, `rungs` and
`scheduler` say when a trial is stopped (ASHA), and `recorder` writes each event to the journal.
`trials` runs Tune, `interrupt` and `stopping` end a session early, `warm_start` takes over another
run's results. `tuner` puts all of this together; `fixed_list` trains a list of configurations with
the same parts, `seed_grid` being such a list; `replay` asks a recorded search again.

A rule of the scheduler is changed in `scheduler`, resuming in `tuner` and `study`. `study` knows no
Ray, so that a search can be replayed and simulated.
"""

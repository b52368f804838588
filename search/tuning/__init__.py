"""The search itself: which configurations are trained, and for how long.

`preparation` makes the run folder and loads the pictures. `study` is the Optuna study on disk,
`searchers` hands its configurations to Tune, `scheduler` decides when a trial is stopped (ASHA),
and `recorder` writes each event to the journal. `trials` limits and interrupts trials, `stopping`
ends a search, `warm_start` takes over another run's results. `tuner` puts all of this together;
`listed` trains a list of configurations with the same parts; `replay` asks a recorded search again.

A rule of the scheduler is changed in `scheduler`, resuming in `tuner` and `study`.
"""

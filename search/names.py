"""The words that worker, Tune, Optuna and the run folder share."""

OBJECTIVE = "val_macro_f1"  # a trial is worth its best epoch's; higher is better
CLOCK = "phase2_epoch"  # ASHA's clock; absent while the backbone is frozen
STUDY_NAME = "search"
EXPERIMENT_NAME = "trials"  # Ray Tune's name of the run, and so of its folder

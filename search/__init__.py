"""The search: Optuna proposes, Ray trains, ASHA stops, the run folder records."""

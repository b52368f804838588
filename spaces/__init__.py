"""Named search spaces: a name -> a function that suggests a FineTuneConfig from an Optuna trial."""

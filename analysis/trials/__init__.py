"""What the trials of a search say: the questions that need the run's tables only.

`compared_trials` reads them, `importance` (with `ped_anova`) and `effects` (with `linear_model`)
say which settings mattered, `early_stopping` and `anytime` whether the search was good, `unfreeze`
how deep to train, `winner` how it was selected, and `deck_claims` judges the deck's recipes. The
rows of the report's sections are in `analysis.report.record_sections`.
"""

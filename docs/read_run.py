"""A run folder in pandas: python docs/read_run.py runs/demo"""

import sys
from pathlib import Path

import pandas as pd

run = Path(sys.argv[1])
trials = pd.read_parquet(run / "trials.parquet")  # one row a trial, settings as "config/NAME"
epochs = pd.read_parquet(run / "epochs.parquet")  # one row a trial and epoch
journal = pd.read_json(run / "journal.jsonl", lines=True)  # one row a decision
best = pd.read_json(run / "best.json", typ="series")  # the winner: one epoch of one trial

print(trials.sort_values("best_val_macro_f1", ascending=False)[["trial", "status", "epochs"]])
print(epochs.pivot(index="epoch", columns="trial", values="val_macro_f1").round(3))
print(f"trial {best['trial']}, epoch {best['epoch']}: {best['val_macro_f1']:.3f}")

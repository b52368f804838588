"""Journals and epochs of searches whose truth is known: made up from a rule, not trained."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import optuna
import pandas as pd

HEAD_EPOCHS, GRACE, LAST = 1, 3, 9  # phase-1 epochs; the rungs of phase 2 with eta 3
KERNELS = ("bicubic", "bilinear", "lanczos")
DEPTHS = ("top5", "top10", "top20", "stage3", "all")

Truth = Callable[[Mapping[str, Any]], float]  # a trial's settings -> its macro-F1 in the long run


def drawn_params(rng: np.random.Generator) -> dict[str, Any]:
    """What a study chooses in a space like `full`; the probability is asked where CutMix is on."""
    cutmix = bool(rng.random() < 0.5)
    return {
        "head_lr": float(10 ** rng.uniform(-4, -2)),
        "backbone_lr_ratio": float(10 ** rng.uniform(-1.5, 0)),
        "interpolation": str(rng.choice(KERNELS)),
        "unfreeze": str(rng.choice(DEPTHS)),
        "cutmix": cutmix,
        **({"cutmix_probability": float(rng.uniform(0.1, 0.5))} if cutmix else {}),
    }


def searched(
    truth: Truth,
    *,
    num_trials: int,
    seed: int,
    noise: float = 0.005,
    params_of: Callable[[np.random.Generator], dict[str, Any]] = drawn_params,
    class_truths: Mapping[str, Truth] | None = None,
) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """(journal, epochs): every second trial is stopped at the first rung, the others end.

    Values rise by epoch towards the truth; `noise` is their spread from one training to another.
    """
    rng = np.random.default_rng(seed)
    events: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for trial in range(num_trials):
        params = params_of(rng)
        config = {"backbone": "resnet18", "head_epochs": HEAD_EPOCHS, "finetune_epochs": LAST}
        events.append({"event": "started", "trial": trial, "params": params, "config": config})
        last = GRACE if trial % 2 else LAST
        names = {"val_macro_f1": truth} | {
            f"val_f1/{name}": class_truth for name, class_truth in (class_truths or {}).items()
        }
        ends = {name: rule(params) + rng.normal(0, noise) for name, rule in names.items()}
        for epoch in range(1, HEAD_EPOCHS + last + 1):
            tuned = epoch - HEAD_EPOCHS
            progress = 0.1 * np.exp(-tuned / 3)
            rows.append(
                {
                    "trial": trial,
                    "epoch": epoch,
                    "phase2_epoch": tuned if tuned > 0 else np.nan,
                    **{name: end - progress for name, end in ends.items()},
                }
            )
        ended = (
            {"event": "finished"}
            if last == LAST
            else {
                "event": "stopped",
                "by": "asha",
                "rung": GRACE,
            }
        )
        events.append({**ended, "trial": trial})
    return events, pd.DataFrame(rows)


def proposed_by_tpe(num_trials: int, seed: int) -> list[dict[str, Any]]:
    """What TPE proposes, a trial each, when the results it follows are pure noise."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=8)
    )
    rng = np.random.default_rng(seed)
    for value in rng.normal(0.7, 0.005, num_trials):
        trial = study.ask()
        trial.suggest_float("head_lr", 1e-4, 1e-2, log=True)
        trial.suggest_float("backbone_lr_ratio", 0.03, 1.0, log=True)
        trial.suggest_categorical("interpolation", KERNELS)
        trial.suggest_categorical("cutmix", (False, True))
        study.tell(trial, value)
    optuna.logging.set_verbosity(verbosity)
    return [{"params": dict(trial.params), "value": trial.value} for trial in study.get_trials()]


def told_at_one_epoch(
    trials: list[dict[str, Any]],
) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """(journal, epochs) of trials with one value each, at the first epoch of phase 2."""
    events = [
        {"event": "started", "trial": i, "params": trial["params"], "config": {}}
        for i, trial in enumerate(trials)
    ]
    rows = [
        {"trial": i, "epoch": 1, "phase2_epoch": 1, "val_macro_f1": trial["value"]}
        for i, trial in enumerate(trials)
    ]
    return events, pd.DataFrame(rows)

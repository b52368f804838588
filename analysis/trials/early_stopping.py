"""What did early stopping cost, and from which epoch on can trials be told apart?

ASHA condemns a trial at a rung; with probability SHARE (`--late-bloomers`) it is spared and runs to
its end. The spared are a random sample of the condemned, so each stands for an equal part of them:
1/SHARE by design (Horvitz and Thompson 1952), and as the condemned are counted, exactly their
number over that of the spared.

`ranking`: how early trials stand in the order of their ends; the grace period follows from it.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.statistics.claims import (
    Word,
    draws_needed,
    draws_needed_for_width,
    exact_proportion,
    verdict,
)
from analysis.statistics.intervals import Estimate, kendall_estimate
from analysis.trials.compared_trials import CLOCK, VALUE, AshaOutcomes, read_asha_outcomes

MARGIN = 0.01  # of macro-F1; a trial that is better by less is no loss
TOLERATED = 0.10  # share of the condemned trials that may have been better
IN_ORDER = 0.8  # share of the pairs of trials that a rung must put in the order of their ends
LEAST_SPARED = 10  # with fewer, resampling them says little about others like them


def early_stopping_section(
    events: Iterable[Mapping[str, Any]],
    trials: pd.DataFrame,
    epochs: pd.DataFrame,
    settings: Mapping[str, Any],
    *,
    num_resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Both claims about early stopping, each with its verdict; None where it was not tested.

    Args:
        events: the run's journal.
        trials: one row a trial.
        epochs: one row a trial and epoch.
        settings: of the run; `late_bloomers` is the share that was spared (absent: 0).
        num_resamples: bootstrap draws.
        seed: of the bootstrap.
    """
    share = float(settings.get("late_bloomers") or 0.0)
    outcomes = read_asha_outcomes(events, trials, epochs)
    tested = share > 0 and outcomes.num_condemned > 0
    rng = np.random.default_rng(seed)
    return {
        "share": share,
        "num_stopped": len(outcomes.stopped),
        "num_spared": len(outcomes.spared),
        "num_spared_ended": len(outcomes.spared_worth),
        "num_survivors_ended": len(outcomes.survivor_worth),
        "spared_weight": outcomes.spared_weight,
        "regret": regret(outcomes) if tested else None,
        "ranking": ranking(outcomes, epochs, settings, num_resamples=num_resamples, rng=rng)
        if tested
        else None,
    }


def regret(outcomes: AshaOutcomes) -> dict[str, Any]:
    """How many of the condemned would have beaten ASHA's own winner, and what that was worth.

    Running every trial to its end would gain at least the best gain that a spared trial showed:
    the spared are drawn evenly, so the best of the condemned is among them with the chance of being
    spared. It gains at most the sum of all condemned trials' gains. That sum is estimated without
    bias and without an interval: a few unequal gains bear none that would hold.
    """
    gains = outcomes.gains
    num_better, num_spared = int((gains > MARGIN).sum()), len(gains)
    share_better = exact_proportion(num_better, num_spared)
    word = verdict(share_better, TOLERATED)
    is_open = word == "INCONCLUSIVE"
    return {
        "claim": f"More than {TOLERATED:.0%} of the trials that ASHA stops would have ended "
        f"{100 * MARGIN:g} point of macro-F1 or more above its winner",
        "verdict": word,
        "threshold": TOLERATED,
        "winner_alone": outcomes.winner_alone,
        "worth_alone": outcomes.worth_alone,
        "num_better": num_better,
        "share_better": share_better.to_dict(),
        "num_condemned": outcomes.num_condemned,
        "condemned_better": {
            name: outcomes.num_condemned * value for name, value in share_better.to_dict().items()
        },
        "gain_seen": float(gains.max(initial=0.0)),
        "chance_that_is_all": num_spared / outcomes.num_condemned,
        "num_more_at_most": outcomes.num_condemned * exact_proportion(0, num_spared).upper,
        "summed_gain": float(np.maximum(gains, 0.0).sum() * outcomes.spared_weight),
        "spared_needed": draws_needed(num_better, num_spared, TOLERATED) if is_open else None,
    }


def ranking(
    outcomes: AshaOutcomes,
    epochs: pd.DataFrame,
    settings: Mapping[str, Any],
    *,
    num_resamples: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Each phase-2 epoch's order of the trials against the order of their ends.

    Over the trials that ran to their end, a survivor weighs 1 and a spared trial as many as it
    stands for. Without the weights survivors would count too much, and ASHA picked those by the
    very values in question: among the picked, early values differ little and foretell little.
    """
    worth = pd.Series({**outcomes.survivor_worth, **outcomes.spared_worth}, dtype=float)
    weights = pd.Series(
        [outcomes.spared_weight if trial in outcomes.spared else 1.0 for trial in worth.index],
        worth.index,
    )
    in_phase_2 = epochs[epochs["trial"].isin(worth.index)].dropna(subset=[CLOCK, VALUE])
    rungs = rung_epochs(settings)
    rows = [
        {
            "epoch": int(epoch),
            "is_rung": int(epoch) in rungs,
            **_row(
                reports.set_index("trial")[VALUE],
                worth[reports["trial"]],
                weights[reports["trial"]],
                num_resamples=num_resamples,
                rng=rng,
            ),
        }
        for epoch, reports in in_phase_2.groupby(CLOCK)
    ]
    num_spared = len(outcomes.spared_worth)
    return {
        "claim": f"The first rung, phase-2 epoch {rungs[0]}, puts more than {IN_ORDER:.0%} of all "
        "pairs of trials in the order of their ends",
        **_judge(rows, rungs[0], num_spared),
        "threshold": IN_ORDER,
        "least_spared": LEAST_SPARED,
        "grace_epochs": rungs[0],
        "suggested_grace_epochs": suggest_grace(rows) if num_spared >= LEAST_SPARED else None,
        "epochs": rows,
    }


def suggest_grace(rows: list[dict[str, Any]]) -> int | None:
    """The smallest epoch from which on the whole interval of the pairs in order is high enough."""
    reached = [row["pairs_in_order"]["lower"] > IN_ORDER for row in rows]
    return next((row["epoch"] for i, row in enumerate(rows) if all(reached[i:])), None)


def rung_epochs(settings: Mapping[str, Any]) -> list[int]:
    """Phase-2 epochs at whose end ASHA judges: grace x eta^k, rounded up to a whole epoch."""
    grace, eta = int(settings["grace_epochs"]), float(settings["reduction_factor"])
    last = max(int(settings["finetune_epochs"]), grace)
    count = int(math.log(last / grace, eta) + 1e-9) + 1
    return [math.ceil(grace * eta**k - 1e-9) for k in range(count)]


def _row(
    early: pd.Series,
    worth: pd.Series,
    weights: pd.Series,
    *,
    num_resamples: int,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """One epoch: the trials' values then, what they came to be worth, and their weights."""
    tau = kendall_estimate(
        early.to_numpy(),
        worth.to_numpy(),
        weights.to_numpy(),
        num_resamples=num_resamples,
        rng=rng,
    )
    # Below 1/eta, ASHA would have kept the eventual best at this epoch.
    ahead = weights[early > early[worth.idxmax()]].sum() / weights.sum()
    return {
        "num_trials": len(early),
        "tau": tau.to_dict(),
        "pairs_in_order": {name: (1 + value) / 2 for name, value in tau.to_dict().items()},
        "ahead_of_best": float(ahead),
    }


def _judge(rows: list[dict[str, Any]], grace: int, num_spared: int) -> dict[str, Any]:
    """The claim's word, and how many spared trials a better one would take."""
    word: Word = "INCONCLUSIVE"
    at_grace = [row for row in rows if row["epoch"] == grace]
    if num_spared < LEAST_SPARED or not at_grace:
        return {"verdict": word, "spared_needed": max(LEAST_SPARED, num_spared + 1)}
    in_order = Estimate(**at_grace[0]["pairs_in_order"])
    word = verdict(in_order, IN_ORDER)
    is_open = word == "INCONCLUSIVE"
    needed = draws_needed_for_width(in_order, num_spared, IN_ORDER) if is_open else None
    return {"verdict": word, "spared_needed": needed}

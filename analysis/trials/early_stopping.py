"""What did early stopping cost, and from which epoch on can trials be told apart?

ASHA condemns a trial at a rung; with probability SHARE (`--late-bloomers`) it is spared and runs to
its end. The spared are a random sample of the condemned, so each stands for an equal part of them:
1/SHARE by design (Horvitz and Thompson 1952), and as the condemned are counted, exactly their
number over that of the spared.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.fates import Fates, read_fates
from analysis.rung_ranking import ranking
from analysis.statistics.claims import draws_needed, exact_proportion, verdict

MARGIN = 0.01  # of macro-F1; a trial that is better by less is no loss
TOLERATED = 0.10  # share of the condemned trials that may have been better


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
    fates = read_fates(events, trials, epochs)
    tested = share > 0 and fates.num_condemned > 0
    rng = np.random.default_rng(seed)
    return {
        "share": share,
        "num_stopped": len(fates.stopped),
        "num_spared": len(fates.spared),
        "num_spared_ended": len(fates.spared_worth),
        "num_survivors_ended": len(fates.survivor_worth),
        "spared_weight": fates.spared_weight,
        "regret": regret(fates) if tested else None,
        "ranking": ranking(fates, epochs, settings, num_resamples=num_resamples, rng=rng)
        if tested
        else None,
    }


def regret(fates: Fates) -> dict[str, Any]:
    """How many of the condemned would have beaten ASHA's own winner, and what that was worth.

    Running every trial to its end would gain at least the best gain that a spared trial showed:
    the spared are drawn evenly, so the best of the condemned is among them with the chance of being
    spared. It gains at most the sum of all condemned trials' gains. That sum is estimated without
    bias and without an interval: a few unequal gains bear none that would hold.
    """
    gains = fates.gains
    num_better, num_spared = int((gains > MARGIN).sum()), len(gains)
    share_better = exact_proportion(num_better, num_spared)
    word = verdict(share_better, TOLERATED)
    is_open = word == "INCONCLUSIVE"
    return {
        "claim": f"More than {TOLERATED:.0%} of the trials that ASHA stops would have ended "
        f"{100 * MARGIN:g} point of macro-F1 or more above its winner",
        "verdict": word,
        "threshold": TOLERATED,
        "winner_alone": fates.winner_alone,
        "worth_alone": fates.worth_alone,
        "num_better": num_better,
        "share_better": share_better.to_dict(),
        "num_condemned": fates.num_condemned,
        "condemned_better": {
            name: fates.num_condemned * value for name, value in share_better.to_dict().items()
        },
        "gain_seen": float(gains.max(initial=0.0)),
        "chance_that_is_all": num_spared / fates.num_condemned,
        "num_more_at_most": fates.num_condemned * exact_proportion(0, num_spared).upper,
        "summed_gain": float(np.maximum(gains, 0.0).sum() * fates.spared_weight),
        "spared_needed": draws_needed(num_better, num_spared, TOLERATED) if is_open else None,
    }

"""Late bloomers: hand-made runs, and simulated ones of which the truth is known."""

import math

import numpy as np
import pandas as pd
import pytest

from analysis.trials.compared_trials import AshaOutcomes, read_asha_outcomes
from analysis.trials.early_stopping import (
    early_stopping_section,
    regret,
    rung_epochs,
    suggest_grace,
)

SETTINGS = {"grace_epochs": 1, "reduction_factor": 3.0, "finetune_epochs": 9}


def tables(curves: dict[int, list[float]], statuses: dict[int, str]) -> tuple[pd.DataFrame, ...]:
    """Trials and epochs of curves that begin with one epoch of phase 1."""
    rows = [
        {
            "trial": trial,
            "epoch": epoch,
            "phase2_epoch": epoch - 1 if epoch > 1 else None,
            "val_macro_f1": value,
        }
        for trial, curve in curves.items()
        for epoch, value in enumerate(curve, start=1)
    ]
    trials = pd.DataFrame({"trial": list(statuses), "status": list(statuses.values())})
    return trials, pd.DataFrame(rows)


def spared(trial: int, epoch: int) -> dict:
    return {"event": "spared", "trial": trial, "rung": epoch - 1, "epoch": epoch}


def stopped(trial: int, epoch: int) -> dict:
    return {"event": "stopped", "trial": trial, "by": "asha", "rung": epoch - 1, "epoch": epoch}


def section(events: list, tabled: tuple[pd.DataFrame, ...], **settings: float) -> dict:
    return early_stopping_section(events, *tabled, SETTINGS | settings, num_resamples=200, seed=0)


HAND_MADE = {
    0: [0.3, 0.6, 0.7],  # survivor
    1: [0.3, 0.4],  # stopped
    2: [0.3, 0.2, 0.8],  # condemned after epoch 2, spared, the best in the end
    3: [0.3, 0.1, 0.5],  # condemned, spared, worse
    4: [0.9, 0.1, 0.1],  # condemned, spared, its best epoch lies before that
}
STATUSES = {0: "finished", 1: "stopped", 2: "finished", 3: "finished", 4: "finished"}
EVENTS = [{"event": "asked", "trial": 0}, stopped(1, 2), spared(2, 2), spared(3, 2)]


def test_asha_alone_is_the_run_without_what_the_spared_did_later() -> None:
    curves = {trial: HAND_MADE[trial] for trial in range(4)}
    outcomes = read_asha_outcomes(EVENTS, *tables(curves, {t: STATUSES[t] for t in curves}))
    assert (outcomes.winner_alone, outcomes.worth_alone) == (0, 0.7)
    assert outcomes.stopped == {1}
    assert outcomes.spared_worth == {2: 0.8, 3: 0.5}
    assert outcomes.survivor_worth == {0: 0.7}
    assert outcomes.gains == pytest.approx([0.1, -0.2])


def test_what_a_spared_trial_did_before_it_was_condemned_counts_for_asha() -> None:
    outcomes = read_asha_outcomes([*EVENTS, spared(4, 2)], *tables(HAND_MADE, STATUSES))
    assert (outcomes.winner_alone, outcomes.worth_alone) == (4, 0.9)


def test_one_of_two_spared_stands_for_two_of_four_condemned() -> None:
    outcomes = AshaOutcomes(
        stopped=frozenset({1, 4}),
        spared=frozenset({2, 3}),
        spared_worth={2: 0.8, 3: 0.5},
        survivor_worth={0: 0.7},
        winner_alone=0,
        worth_alone=0.7,
    )
    told = regret(outcomes)
    assert told["share_better"]["value"] == 0.5
    # Clopper and Pearson for 1 of 2: 1 - sqrt(0.975) and sqrt(0.975).
    assert told["share_better"]["lower"] == pytest.approx(1 - math.sqrt(0.975))
    assert told["share_better"]["upper"] == pytest.approx(math.sqrt(0.975))
    assert told["condemned_better"]["value"] == 2
    assert told["gain_seen"] == pytest.approx(0.1)
    assert told["summed_gain"] == pytest.approx(0.2)
    assert told["chance_that_is_all"] == 0.5
    # Of two draws none lies in the upper 1 - sqrt(0.025) with a chance of 0.025.
    assert told["num_more_at_most"] == pytest.approx(4 * (1 - math.sqrt(0.025)))
    assert told["verdict"] == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("num_better", "num_spared", "word", "needed"),
    [
        (0, 35, "INCONCLUSIVE", 36),  # 1 - 0.025^(1/36) = 0.097 is the first under a tenth
        (0, 36, "REFUTED", None),
        (0, 0, "INCONCLUSIVE", 36),
        (4, 10, "CONFIRMED", None),  # lower end 0.12
        (1, 10, "INCONCLUSIVE", None),  # a tenth itself is never decided
    ],
)
def test_verdicts_by_the_exact_interval(
    num_better: int, num_spared: int, word: str, needed: int | None
) -> None:
    worth = {t: 0.9 if t < num_better else 0.5 for t in range(num_spared)}
    outcomes = AshaOutcomes(
        stopped=frozenset({1000}),
        spared=frozenset(worth),
        spared_worth=worth,
        survivor_worth={},
        winner_alone=1001,
        worth_alone=0.7,
    )
    told = regret(outcomes)
    assert (told["verdict"], told["spared_needed"]) == (word, needed)


def test_less_than_the_margin_is_no_loss() -> None:
    outcomes = AshaOutcomes(
        stopped=frozenset(),
        spared=frozenset({1}),
        spared_worth={1: 0.709},
        survivor_worth={},
        winner_alone=0,
        worth_alone=0.7,
    )
    assert regret(outcomes)["num_better"] == 0


@pytest.mark.parametrize(
    ("settings", "events"),
    [({}, [stopped(1, 2)]), ({"late_bloomers": 0.0}, []), ({"late_bloomers": 0.5}, [])],
)
def test_not_tested(settings: dict, events: list) -> None:
    told = section(events, tables({0: [0.3, 0.5], 1: [0.2]}, {0: "finished", 1: "stopped"}))
    assert (told["regret"], told["ranking"]) == (None, None)


def test_too_few_spared_suggest_nothing() -> None:
    told = section([*EVENTS, spared(4, 2)], tables(HAND_MADE, STATUSES), late_bloomers=0.5)
    assert told["num_spared_ended"] == 3
    assert told["ranking"]["verdict"] == "INCONCLUSIVE"
    assert told["ranking"]["spared_needed"] == 10
    assert told["ranking"]["suggested_grace_epochs"] is None
    assert [row["epoch"] for row in told["ranking"]["epochs"]] == [1, 2]


def test_rungs_are_those_of_the_scheduler() -> None:
    assert rung_epochs(SETTINGS) == [1, 3, 9]
    assert rung_epochs({"grace_epochs": 2, "reduction_factor": 2.5, "finetune_epochs": 10}) == [
        2,
        5,
    ]


def test_the_grace_period_is_where_the_criterion_holds_for_good() -> None:
    def row(epoch: int, lower: float) -> dict:
        return {"epoch": epoch, "pairs_in_order": {"lower": lower}}

    rows = [row(1, 0.6), row(2, 0.85), row(3, 0.7), row(4, 0.9), row(5, 0.95)]
    assert suggest_grace(rows) == 4
    assert suggest_grace(rows[:3]) is None


# ---- Simulated runs: curves that cross by construction, ASHA replaced by a plain median rule


def crossing_curves(rng: np.random.Generator, num_trials: int) -> np.ndarray:
    """Values after 1, 3 and 9 epochs: the first misleads, the second is nearly the last."""
    final = rng.normal(0.6, 0.05, num_trials)
    early = 0.5 - 0.5 * final + rng.normal(0, 0.05, num_trials)
    return np.stack([early, final + rng.normal(0, 0.005, num_trials) - 0.05, final], axis=1)


def simulated_run(
    curves: np.ndarray, share: float, rng: np.random.Generator
) -> tuple[list, tuple[pd.DataFrame, ...]]:
    """Condemn the half that is worse at the first value, and spare some of them."""
    condemned = curves[:, 0] < np.median(curves[:, 0])
    is_spared = condemned & (rng.random(len(curves)) < share)
    events, told, statuses = [], {}, {}
    for trial, curve in enumerate(curves):
        is_cut = condemned[trial] and not is_spared[trial]
        told[trial] = [0.0, *curve[: 1 if is_cut else None]]
        statuses[trial] = "stopped" if is_cut else "finished"
        if condemned[trial]:
            events.append((spared if is_spared[trial] else stopped)(trial, 2))
    return events, tables(told, statuses)


def test_estimates_are_unbiased_over_many_draws_of_the_spared() -> None:
    rng = np.random.default_rng(1)
    curves = crossing_curves(rng, 60)
    condemned = np.flatnonzero(curves[:, 0] < np.median(curves[:, 0]))
    kept = np.setdiff1d(np.arange(60), condemned)
    winner = max(curves[kept].max(), curves[condemned, 0].max())
    gains = np.maximum(curves[condemned, 2] - winner, 0)
    assert (gains > 0.01).sum() == 8
    told = []
    for _ in range(300):
        is_spared = rng.random(len(condemned)) < 0.3
        outcomes = AshaOutcomes(
            stopped=frozenset(condemned[~is_spared].tolist()),
            spared=frozenset(condemned[is_spared].tolist()),
            spared_worth=dict(enumerate(curves[condemned[is_spared], 2])),
            survivor_worth={},
            winner_alone=0,
            worth_alone=winner,
        )
        told.append(regret(outcomes))
    better = np.array([one["condemned_better"]["value"] for one in told])
    summed = np.array([one["summed_gain"] for one in told])
    seen = np.array([one["gain_seen"] for one in told])
    for estimates, truth in ((better, 8), (summed, gains.sum())):
        error = estimates.std() / np.sqrt(len(told))
        assert estimates.mean() == pytest.approx(truth, abs=3 * error)
    assert seen.max() == gains.max()
    assert seen.mean() < gains.max() < summed.mean()
    all_seen = [one["chance_that_is_all"] for one in told]
    assert np.mean(seen == gains.max()) == pytest.approx(np.mean(all_seen), abs=0.08)
    exact = [
        one["share_better"]["lower"] <= 8 / len(condemned) <= one["share_better"]["upper"]
        for one in told
    ]
    assert np.mean(exact) > 0.95


def test_a_suggested_grace_period_waits_until_the_curves_have_crossed() -> None:
    rng = np.random.default_rng(2)
    run = simulated_run(crossing_curves(rng, 150), 0.5, rng)
    told = section(*run, late_bloomers=0.5)["ranking"]
    assert told["verdict"] == "REFUTED"  # the first rung is too early
    assert told["suggested_grace_epochs"] == 2
    assert told["epochs"][0]["ahead_of_best"] > 0
    assert told["epochs"][2]["tau"]["value"] == 1


def test_curves_that_never_cross_confirm_the_first_rung() -> None:
    rng = np.random.default_rng(3)
    final = rng.normal(0.6, 0.05, (80, 1))
    curves = final + rng.normal(0, 0.002, (80, 3)) + np.array([-0.2, -0.1, 0])
    told = section(*simulated_run(curves, 0.5, rng), late_bloomers=0.5)
    assert told["ranking"]["verdict"] == "CONFIRMED"
    assert told["ranking"]["suggested_grace_epochs"] == 1
    assert told["regret"]["num_better"] == 0

"""The simulator of searches: its clock, its budget, its luck, and who is called when."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spaces.registry import quiet_study
from tests.benchmarks.bridge import paired_difference, quartiles
from tests.benchmarks.methods import (
    BASE,
    Stock,
    Truthful,
    phase_aligned,
    ray_asha,
    recorded_params,
    suggest_in,
)
from tests.benchmarks.simulator import (
    Proposal,
    Search,
    Told,
    best_by_best_epoch,
    best_by_last_value,
    epoch_report,
    simulate,
)
from tests.benchmarks.surrogate import PhaseModel, Surrogate, order_kept

EPOCHS, HEAD_EPOCHS = 10, 2
SUGGEST = suggest_in("full")


class Scripted:
    """Asks trials 0, 1, 2, ... and stops those that a rule says."""

    def __init__(
        self,
        num_trials: int = 1000,
        stops: Callable[[int, int], bool] = lambda number, epoch: False,
    ) -> None:
        self.num_trials, self.stops = num_trials, stops
        self.asked = 0
        self.heard: list[tuple[int, int]] = []

    def ask(self) -> Proposal | None:
        if self.asked == self.num_trials:
            return None
        self.asked += 1
        return Proposal(number=self.asked - 1, params={"pace": 1.0 + (self.asked - 1) % 3})

    def report(self, number: int, report: dict[str, Any]) -> bool:
        self.heard.append((number, report["epoch"]))
        return self.stops(number, report["epoch"])


class Made:
    """Curves that rise evenly, with noise; an epoch takes as long as the trial's pace."""

    def curve(self, params: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
        return np.linspace(0.1, 0.5, EPOCHS) + rng.normal(0, 0.1)

    def seconds(self, params: dict[str, Any]) -> np.ndarray:
        return np.full(EPOCHS, params.get("pace", 1.0))


def run(method: Any, *, workers: int = 4, budget: int = 100, seed: int = 0) -> Search:
    return simulate(
        method, Made(), workers=workers, budget_epochs=budget, head_epochs=HEAD_EPOCHS, seed=seed
    )


def test_events_come_in_the_order_of_virtual_time() -> None:
    told = run(Scripted()).told
    assert [each.seconds for each in told] == sorted(each.seconds for each in told)
    # Paces 1, 2, 3, 1: after one second trials 0 and 3 have ended an epoch, in this order.
    assert [(each.seconds, each.number) for each in told[:3]] == [(1, 0), (1, 3), (2, 1)]


def test_every_epoch_of_the_budget_is_trained_once() -> None:
    told = run(Scripted(stops=lambda number, epoch: number % 3 == 0 and epoch == 4)).told
    assert len(told) == 100
    epochs: dict[int, list[int]] = {}
    for each in told:
        epochs.setdefault(each.number, []).append(each.epoch)
    for number, own in epochs.items():
        assert own == list(range(1, len(own) + 1))
        assert len(own) <= (4 if number % 3 == 0 else EPOCHS)
    assert told[-1].worker_seconds == sum(1.0 + each.number % 3 for each in told)


@pytest.mark.parametrize("workers", [1, 4])
def test_as_many_trials_run_as_there_are_workers(workers: int) -> None:
    told = run(Scripted(), workers=workers).told
    for now in sorted({each.seconds for each in told})[:-1]:
        begun = {each.number for each in told if each.seconds - (1 + each.number % 3) <= now}
        ended = {each.number for each in told if each.finished and each.seconds <= now}
        assert len(begun - ended) <= workers
    if workers == 1:
        assert [each.number for each in told[:EPOCHS]] == [0] * EPOCHS


def test_a_stopped_trial_makes_room_and_a_search_without_trials_ends() -> None:
    method = Scripted(num_trials=3, stops=lambda number, epoch: epoch == 2)
    told = run(method, workers=1).told
    assert method.heard == [(n, e) for n in range(3) for e in (1, 2)]
    assert len(told) == 6


def test_both_budgets_are_spent() -> None:
    search = simulate(
        Scripted(),
        Made(),
        workers=2,
        budget_epochs=10,
        budget_seconds=60.0,
        head_epochs=HEAD_EPOCHS,
        seed=0,
    )
    assert search.told[-1].worker_seconds >= 60 > search.told[-2].worker_seconds


def test_a_trials_luck_is_its_own() -> None:
    def first_values(workers: int, seed: int) -> dict[int, float]:
        told = run(Scripted(), workers=workers, seed=seed).told
        return {each.number: each.value for each in told if each.epoch == 1}

    one, four, other = first_values(1, 0), first_values(4, 0), first_values(1, 1)
    assert all(one[number] == four[number] for number in one)
    assert one[0] != other[0]


def test_the_clock_of_phase_2_starts_behind_phase_1() -> None:
    assert "phase2_epoch" not in epoch_report(2, 0.5, HEAD_EPOCHS, False)
    assert epoch_report(3, 0.5, HEAD_EPOCHS, False)["phase2_epoch"] == 1


def told_of(*values: tuple[int, float]) -> list[Told]:
    return [
        Told(seconds=i, worker_seconds=i, number=n, epoch=1, value=v, finished=False)
        for i, (n, v) in enumerate(values)
    ]


def test_who_is_handed_over() -> None:
    told = told_of((0, 0.7), (1, 0.5), (0, 0.4), (1, 0.6))
    assert [each.seconds for each in best_by_last_value(told)] == [0, 0, 1, 3]
    assert [each.seconds for each in best_by_best_epoch(told)] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: Stock(SUGGEST, ray_asha(), seed=seed),
        lambda seed: Stock(SUGGEST, phase_aligned(), seed=seed),
        lambda seed: Truthful(SUGGEST, ray_asha(), seed=seed),
        lambda seed: Truthful(SUGGEST, phase_aligned(), seed=seed),
    ],
    ids=["stock", "stock + clock", "truth", "ours"],
)
@pytest.mark.timeout(30)
def test_real_searchers_and_schedulers_repeat_themselves(make: Callable[[int], Any]) -> None:
    first, again, other = (run(make(seed), budget=40) for seed in (0, 0, 1))
    assert first == again
    assert first.params[0] != other.params[0]
    lengths = pd.Series([each.number for each in first.told]).value_counts()
    assert lengths.max() == EPOCHS
    assert lengths.min() < EPOCHS  # something was stopped


def test_stock_tells_a_stopped_trial_as_complete_and_the_truthful_study_as_pruned() -> None:
    stock, truthful = Stock(SUGGEST, ray_asha(), seed=0), Truthful(SUGGEST, ray_asha(), seed=0)
    for method in (stock, truthful):
        for number, value in ((0, 0.5), (1, 0.1)):
            assert method.ask() is not None
            assert method.report(number, epoch_report(1, value, HEAD_EPOCHS, False)) == (
                number == 1
            )
    states = [
        [trial.state.name for trial in study.get_trials()]
        for study in (stock._searcher._ot_study, truthful._study._study)
    ]
    assert states == [["RUNNING", "COMPLETE"], ["RUNNING", "PRUNED"]]


def test_phase_1_is_judged_by_stock_alone() -> None:
    for scheduler, is_judged in ((ray_asha(), True), (phase_aligned(), False)):
        method = Stock(SUGGEST, scheduler, seed=0)
        for number, value in ((0, 0.5), (1, 0.1)):
            method.ask()
            stopped = method.report(number, epoch_report(1, value, HEAD_EPOCHS, False))
        assert stopped is is_judged


def test_any_configuration_in_the_terms_of_the_recorded_space() -> None:
    study = quiet_study(seed=0)
    for _ in range(20):
        trial = study.ask()
        config = SUGGEST(trial)
        patience = {"early_stopping_epochs": 0} if "early_stopping_epochs" in trial.params else {}
        assert recorded_params(config) == trial.params | patience
    own = recorded_params(BASE)
    assert own["head_lr"] == BASE.head_lr
    assert "head_lr_sgd" not in own


# ---- Surrogate


def recorded(num_trials: int = 40) -> pd.DataFrame:
    """Trials whose end is a number that was drawn; those with `slow` start low and cross."""
    rng = np.random.default_rng(0)
    rows = []
    for seed in (0, 1):
        for trial in range(num_trials if seed == 0 else 4):
            end, slow = trial / num_trials, trial % 2 == 1
            start = 0.1 if slow else 0.9 * end
            curve = np.linspace(start, end, EPOCHS) + 0.01 * seed
            rows.append(
                {
                    "trial": trial,
                    "seed": seed,
                    "diverged": False,
                    "params/end": end,
                    "params/slow": slow,
                    "params/unfreeze": "all" if slow else "top5",
                    "params/rate": rng.random() if slow else None,
                    **{f"val_macro_f1/{i + 1}": value for i, value in enumerate(curve)},
                    **{f"seconds/{i + 1}": 2.0 if slow else 1.0 for i in range(EPOCHS)},
                }
            )
    return pd.DataFrame(rows)


def test_a_recorded_configuration_has_its_recorded_curve() -> None:
    surrogate = Surrogate(recorded())
    assert surrogate.true_curves(surrogate.recorded_params) == pytest.approx(surrogate.curves)
    noisy = surrogate.curve(surrogate.recorded_params[30], np.random.default_rng(0))
    # Two trainings differ by 0.01 in every epoch: half of that variance is each one's own.
    assert np.abs(noisy - surrogate.curves[30]) == pytest.approx(0.01 / np.sqrt(2))


def test_what_was_not_asked_is_a_level_of_its_own_and_depth_sets_the_pace() -> None:
    surrogate = Surrogate(recorded())
    assert "rate" not in surrogate.recorded_params[0]
    without, with_rate = ({"end": 0.5, "unfreeze": "all"} | more for more in ({}, {"rate": 0.5}))
    model = PhaseModel(surrogate.recorded_params, surrogate.curves, frozenset())
    assert (model.encoded(without) != model.encoded(with_rate)).sum() == 1
    assert surrogate.seconds({"unfreeze": "all"}).tolist() == [1.5, 1.5] + [2.0] * 8
    assert surrogate.seconds({"unfreeze": "unheard of"})[-1] == 1.5
    assert surrogate.r_squared > 0.9


def test_phase_1_does_not_know_what_phase_2_alone_uses() -> None:
    surrogate = Surrogate(recorded())
    params = surrogate.recorded_params[21]
    other = params | {"unfreeze": "top5"}
    ours, theirs = surrogate.true_curves([params, other])
    assert (ours[:HEAD_EPOCHS] == theirs[:HEAD_EPOCHS]).all()
    assert (ours[HEAD_EPOCHS:] != theirs[HEAD_EPOCHS:]).any()


def test_residual_noise_is_of_trials_that_were_predicted_alike() -> None:
    surrogate = Surrogate(recorded(), noise="residuals")
    params = surrogate.recorded_params[20]
    curves = [surrogate.curve(params, np.random.default_rng(seed)) for seed in range(20)]
    assert np.std(curves, axis=0).max() > 0
    assert np.ptp([surrogate.truths([params]) for _ in range(3)]) == 0


def test_pairs_in_order() -> None:
    curves = np.array([[0.1, 0.5, 0.9], [0.2, 0.4, 0.8], [0.3, 0.3, 0.7], [0.0, 0.0, 0.05]])
    assert order_kept(curves, least=0.1) == [0.0, 1.0, 1.0]
    assert order_kept(curves) == [0.5, 1.0, 1.0]


def test_differences_are_paired() -> None:
    rng = np.random.default_rng(1)
    luck = rng.normal(0, 10, 20)
    assert paired_difference(luck - 1, luck) == "-1.0 (-1.0 to -1.0)"
    assert quartiles(np.array([1.0, 2.0, 3.0, 4.0, 5.0])) == "3.0 (2.0 to 4.0)"

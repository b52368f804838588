"""Does the bridge pay? Ray's documented way against this project's, on simulated trials.

    python -m tests.benchmarks.bridge --plot docs/bridge.png

Each arm searches the space of the recorded trials with virtual workers; what a trial would report
comes from `tests.benchmarks.surrogate`. After every epoch an arm names what it would hand over: an
epoch of a trial. Regret is how far that lies, without noise, below the best of the space: the model
as it is after that epoch, or the configuration, trained to its end. Seeds are paired over arms: the
n-th trial of each has the same luck.
"""

import argparse
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import optuna
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from analysis.statistics.intervals import estimate
from search.tuning.study import Suggest
from tests.benchmarks.methods import ARMS, BASE, SPACE, Arm, recorded_params, suggest_in
from tests.benchmarks.simulator import (
    Search,
    Told,
    best_by_best_epoch,
    best_by_last_value,
    simulate,
)
from tests.benchmarks.surrogate import RECORDED, FloatArray, Noise, Surrogate, order_kept

NUM_DRAWS = 5_000  # of the space, for its best configuration
NUM_DRAWS_DESCRIBED = 500
HOPELESS = 0.1  # macro-F1 of chance: telling those that end below it apart needs no search
NUM_RESAMPLES = 10_000
SHARES = (1 / 3, 2 / 3, 1.0)  # of the budget, at which the table is read
STOCK = "stock"
PLOTTED = (STOCK, "stock, grace 3", "ours", "random + clock")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, default=RECORDED, help="recorded trials")
    parser.add_argument("--space", default=SPACE)
    parser.add_argument("--noise", choices=get_args(Noise), default="repeats")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--whole-trials", type=int, default=30, help="the budget, in their epochs")
    names = [arm.name for arm in ARMS]
    parser.add_argument("--arms", nargs="+", choices=names, default=names)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    arms = [arm for arm in ARMS if arm.name in {*arguments.arms, STOCK}]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")  # Optuna's of experimental arguments
    surrogate = Surrogate(pd.read_parquet(arguments.table), noise=arguments.noise)
    suggest = suggest_in(arguments.space)
    print(describe(surrogate, random_params(suggest, NUM_DRAWS_DESCRIBED)))
    budget_epochs = arguments.whole_trials * surrogate.num_epochs
    budget_seconds = arguments.whole_trials * surrogate.mean_seconds
    by_method = {
        make: [
            simulate(
                make(suggest, seed),
                surrogate,
                workers=arguments.workers,
                budget_epochs=budget_epochs,
                budget_seconds=budget_seconds,
                head_epochs=BASE.head_epochs,
                seed=seed,
            )
            for seed in range(arguments.seeds)
        ]
        for make in {arm.make: None for arm in arms}
    }
    searches = {arm.name: by_method[arm.make] for arm in arms}
    drawn = random_params(suggest, NUM_DRAWS)
    tried = [params for many in searches.values() for s in many for params in s.params.values()]
    budgets = {"epochs": float(budget_epochs), "seconds": budget_seconds}
    for worth in (of_the_model, of_the_configuration):
        best = float(worth(surrogate.true_curves([*drawn, *tried])).max())
        regrets = {
            arm.name: regret_by_budget(arm, searches[arm.name], surrogate, worth, best, budgets)
            for arm in arms
        }
        print(f"\nregret {worth.__name__.replace('_', ' ')}; best of the space: {best:.3f}\n")
        for unit, budget in budgets.items():
            print(markdown_table(searches, regrets, unit, budget))
        if arguments.plot and worth is of_the_model:
            draw(regrets, budgets, arguments.plot)


def of_the_model(curves: FloatArray) -> FloatArray:
    """What each epoch's model is worth, shape (N, epochs)."""
    return curves


def of_the_configuration(curves: FloatArray) -> FloatArray:
    """What it is worth to train to the end, whichever epoch is handed over."""
    return np.broadcast_to(curves[:, -1:], curves.shape)


def describe(surrogate: Surrogate, drawn: list[dict[str, Any]]) -> str:
    """What the simulation stands on, in a line or two."""
    ends = surrogate.curves[:, -1]
    in_order = [
        f"{kept[first - 1]:.2f} after phase 1, {kept[first]:.2f} after one epoch of phase 2, "
        f"{kept[first + 2]:.2f} after three"
        for first in [BASE.head_epochs]
        for kept in (
            order_kept(surrogate.curves, HOPELESS),
            order_kept(surrogate.true_curves(drawn), HOPELESS),
        )
    ]
    return (
        f"{len(ends)} recorded trials, last macro-F1 {ends.min():.3f} to {ends.max():.3f} (median "
        f"{np.median(ends):.3f}); out-of-bag R2 {surrogate.r_squared:.2f}, misses' standard "
        f"deviation {surrogate.out_of_bag_misses[:, -1].std():.3f}; of two trainings "
        f"{np.sqrt((surrogate.repeats[:, -1] ** 2).mean()):.3f} (n = {len(surrogate.repeats)})\n"
        f"pairs in final order, of trials that end above {HOPELESS}: {in_order[0]}; "
        f"of simulated random ones: {in_order[1]}"
    )


def random_params(suggest: Suggest, count: int) -> list[dict[str, Any]]:
    """Uniform draws of the space."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = []
    for _ in range(count):
        drawn.append(recorded_params(suggest(study.ask())))
    return drawn


def regret_by_budget(
    arm: Arm,
    searches: list[Search],
    surrogate: Surrogate,
    worth: Callable[[FloatArray], FloatArray],
    best: float,
    budgets: dict[str, float],
) -> dict[str, FloatArray]:
    """Regret at each hundredth of a budget, by the budget's unit: shape (seeds, 100)."""
    rule = best_by_best_epoch if arm.by_best_epoch else best_by_last_value
    regrets: dict[str, list[FloatArray]] = {unit: [] for unit in budgets}
    for search in searches:
        numbers = sorted(search.params)
        true = surrogate.true_curves([search.params[number] for number in numbers])
        truth = dict(zip(numbers, worth(true), strict=True))
        regret = np.array([best - truth[each.number][each.epoch - 1] for each in rule(search.told)])
        for unit, budget in budgets.items():
            spent = SPENT[unit](search.told)
            at = np.searchsorted(spent, budget * np.arange(1, 101) / 100 + 1e-9, side="right") - 1
            regrets[unit].append(np.where(at >= 0, regret[at], np.nan))
    return {unit: np.array(rows) for unit, rows in regrets.items()}


SPENT: dict[str, Callable[[list[Told]], FloatArray]] = {
    "epochs": lambda told: np.arange(1.0, len(told) + 1),
    "seconds": lambda told: np.array([each.worker_seconds for each in told]),
}


def markdown_table(
    searches: dict[str, list[Search]],
    regrets: dict[str, dict[str, FloatArray]],
    unit: str,
    budget: float,
) -> str:
    """Regret in points of macro-F1, median and quartiles over seeds, and paired differences."""
    at = [max(round(100 * share) - 1, 0) for share in SHARES]
    heads = [f"regret at {share * budget:,.0f} {unit}" for share in SHARES]
    lines = [
        f"| arm | trials begun | run to the end | {' | '.join(heads)} | minus stock, mean (95 %) |",
        "|---" * (len(heads) + 4) + "|",
    ]
    stock = regrets[STOCK][unit]
    for name, own in regrets.items():
        begun, finished = trial_counts(searches[name], unit, budget)
        cells = [quartiles(100 * own[unit][:, column]) for column in at]
        difference = paired_difference(100 * own[unit][:, at[-1]], 100 * stock[:, at[-1]])
        lines.append(
            f"| {name} | {begun:.0f} | {finished:.0f} | {' | '.join(cells)} | {difference} |"
        )
    return "\n".join(lines) + "\n"


def trial_counts(searches: list[Search], unit: str, budget: float) -> tuple[float, float]:
    """Mean number of trials that reported within the budget, and of those that finished."""
    within = [
        [each for each, spent in zip(s.told, SPENT[unit](s.told), strict=True) if spent <= budget]
        for s in searches
    ]
    begun = [len({each.number for each in told}) for told in within]
    finished = [sum(each.finished for each in told) for told in within]
    return float(np.mean(begun)), float(np.mean(finished))


def quartiles(values: FloatArray) -> str:
    low, middle, high = np.nanquantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.1f} ({low:.1f} to {high:.1f})"


def paired_difference(own: FloatArray, stock: FloatArray) -> str:
    """Mean over seeds with its bootstrap interval; below 0: less regret than stock."""
    differences = own - stock
    rng = np.random.default_rng(0)
    resampled = rng.choice(differences, (NUM_RESAMPLES, len(differences))).mean(axis=1)
    told = estimate(float(differences.mean()), resampled)
    return f"{told.value:+.1f} ({told.lower:+.1f} to {told.upper:+.1f})"


def draw(regrets: dict[str, dict[str, FloatArray]], budgets: dict[str, float], path: Path) -> None:
    """Median regret and quartiles against both budgets."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (unit, budget) in zip(
        figure.subplots(1, 2, sharey=True), budgets.items(), strict=True
    ):
        spent = budget * np.arange(1, 101) / 100
        for name, style in zip(PLOTTED, ("-", "--", "-", ":"), strict=True):
            if name not in regrets:
                continue
            low, middle, high = np.nanquantile(100 * regrets[name][unit], [0.25, 0.5, 0.75], axis=0)
            (line,) = axes.plot(spent, middle, style, label=name, linewidth=2)
            axes.fill_between(spent, low, high, color=line.get_color(), alpha=0.12, linewidth=0)
        axes.set(xlabel=f"{unit} trained, all workers together", ylim=(0, None))
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("regret, points of macro-F1")
    figure.axes[0].legend(frameon=False)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()

"""A plan as it is printed: what was measured, what follows, what was assumed."""

from collections.abc import Iterator

from search.plan.forecast import NUM_REPLICATES, Interval
from search.plan.planning import STARTS, SearchPlan
from search.plan.probe import TIMED_STEPS, WARM_UP_STEPS
from trainables.config import FineTuneConfig

NAME_WIDTH, FIGURE_WIDTH = 36, 10
PARTS = {
    "head": "phase 1, plain batch",
    "mixed": "phase 1, mixed batch",
    "finetune": "phase 2",
    "validation": "validation",
}
CHECKPOINTS = {
    "head_checkpoint": "a checkpoint of phase 1",
    "finetune_checkpoint": "a checkpoint of phase 2",
}


def table(plan: SearchPlan, *, price_per_hour: float) -> list[str]:
    """The lines to print; a price of 0 prints none."""
    return [
        *_head(plan),
        "",
        *_parts(plan),
        "",
        *_forecast(plan, price_per_hour),
        "",
        *_notes(plan),
    ]


def _head(plan: SearchPlan) -> Iterator[str]:
    settings, task = plan.settings, plan.task
    yield (
        f"measured     in {plan.probe_seconds:.0f} s: {WARM_UP_STEPS} + {TIMED_STEPS} steps of "
        f"each kind on the {task.device}, {_counted(plan.num_probes, 'process')} side by side, "
        f"{_counted(task.num_threads, 'thread')} each"
    )
    yield f"cheapest     {_described(task.cheap)}"
    yield f"dearest      {_described(task.dear)}"
    yield (
        f"search       {_counted(plan.num_trials, 'trial')} of {settings.head_epochs} + "
        f"{settings.finetune_epochs} epochs, {plan.concurrent} at a time, on "
        f"{settings.train_size:,} + {settings.val_size:,} pictures"
    )
    if plan.num_trials < settings.num_trials:
        yield f"             the space has no more than these (--num-trials {settings.num_trials})"


def _parts(plan: SearchPlan) -> Iterator[str]:
    expected = plan.measured["expected"]
    cheap, dear = expected.cheap, expected.dear
    yield _columns("seconds per 1,000 pictures", "cheapest", "dearest")
    views = sorted(expected.views, key=lambda policy: expected.views[policy])
    yield _row(
        f"epoch view ({views[0]}, {views[-1]})",
        1000 * expected.views[views[0]],
        1000 * expected.views[views[-1]],
    )
    for part, name in PARTS.items():
        yield _row(name, 1000 * getattr(cheap, part), 1000 * getattr(dear, part))
    yield "seconds each"
    for part, name in CHECKPOINTS.items():
        yield _row(name, getattr(cheap, part), getattr(dear, part))
    yield _row("a slot until its first trial", expected.start, expected.start)


def _forecast(plan: SearchPlan, price_per_hour: float) -> Iterator[str]:
    settings, found = plan.settings, plan.forecast
    yield _columns("forecast", "low", "expected", "high")
    yield _interval("minutes of a trial run to its end", found.trial_seconds, 1 / 60)
    yield _interval("epochs that ASHA lets run", found.epochs, digits=0)
    yield _interval("minutes of the search", found.search_seconds, 1 / 60)
    if settings.max_hours:
        hours = f"--max-hours {settings.max_hours:g}"
        yield _interval(f"minutes of it in {hours}", found.spent_seconds, 1 / 60)
        yield _interval(f"trials of {plan.num_trials} in {hours}", found.ended, digits=0)
    if plan.gpus:
        name = f"GPU-hours ({plan.gpus:g} GPUs)"
        yield _interval(name, found.spent_seconds, plan.gpus / 3600, digits=2)
    if price_per_hour:
        held, per = (plan.gpus, "GPU-hour") if plan.gpus else (1.0, "hour of this machine")
        name = f"money, at {price_per_hour:g} a {per}"
        yield _interval(name, found.spent_seconds, held * price_per_hour / 3600, digits=2)


def _notes(plan: SearchPlan) -> Iterator[str]:
    settings, measured = plan.settings, plan.measured
    fresh = measured["expected"].start / STARTS["expected"]
    yield (
        "low          the quickest steps measured; at each rung 1 in "
        f"{settings.reduction_factor:g} goes on"
    )
    yield f"expected     their mean; ASHA on noisy curves, {NUM_REPLICATES} searches played through"
    yield "high         the slowest steps; nothing is stopped"
    yield (
        "assumed      configurations as the space draws them at random: a sampler may come to "
        "prefer dear ones"
    )
    yield (
        f"             a slot until its first trial: {STARTS['low']:g} to {STARTS['high']:g} times "
        f"what a fresh Python took to import PyTorch ({fresh:.1f} s)"
    )
    yield (
        "             not in it: the audit and reading of the pictures, Ray's own start, confirm, "
        "report"
    )
    if settings.workers_per_trial > 1:
        yield "             nor what the workers of one trial take to exchange gradients"


def _described(config: FineTuneConfig) -> str:
    return (
        f"{config.backbone} at {config.resolution_px} px, unfreeze {config.unfreeze} "
        f"({config.unfreeze_mode}), batch {config.batch_size}, {config.precision}"
    )


def _row(name: str, cheap: float, dear: float) -> str:
    return _columns(f"  {name}", f"{cheap:.3f}", f"{dear:.3f}")


def _interval(name: str, found: Interval, factor: float = 1.0, digits: int = 1) -> str:
    figures = (found.low, found.expected, found.high)
    return _columns(f"  {name}", *(f"{factor * figure:,.{digits}f}" for figure in figures))


def _columns(name: str, *figures: str) -> str:
    return f"{name:<{NAME_WIDTH}}" + "".join(f"{figure:>{FIGURE_WIDTH}}" for figure in figures)


def _counted(count: int, what: str) -> str:
    plural = "es" if what.endswith("s") else "s"
    return f"{count} {what}{'' if count == 1 else plural}"

"""A real probe of tiny configurations."""

import math
from dataclasses import fields

import pytest

from search.plan.costs import Parts, combine
from search.plan.probe import Task, measure
from trainables.config import FineTuneConfig

CHEAP = FineTuneConfig(
    resolution_px=32, interpolation="none", unfreeze="top5", batch_size=4, head_epochs=1
)
DEAR = FineTuneConfig(resolution_px=64, unfreeze="all", batch_size=4, head_epochs=1)
TASK = Task(
    cheap=CHEAP,
    dear=DEAR,
    policies=("none", "standard"),
    base_px=32,
    device="cpu",
    num_threads=1,
    workers=1,
)


@pytest.mark.timeout(60)
def test_every_part_takes_time_and_the_dear_end_more_of_it():
    cheap = combine(measure(CHEAP, TASK, last_stage=False), min)
    dear = combine(measure(DEAR, TASK, last_stage=True), min)
    figures = [getattr(parts, f.name) for parts in (cheap, dear) for f in fields(Parts)]
    assert all(0 < figure < math.inf for figure in figures)
    assert dear.forward_flops == 4 * cheap.forward_flops
    # Four times the pixels, and the whole backbone trained instead of its top. The smallest parts
    # are left out: on a busy machine a step of four pictures says little.
    assert dear.step_flops > 9 * cheap.step_flops
    assert dear.finetune > cheap.finetune
    assert dear.validation > cheap.validation


@pytest.mark.timeout(60)
def test_without_a_second_phase_there_is_nothing_to_measure_in_it():
    config = FineTuneConfig(
        resolution_px=32, batch_size=4, head_epochs=1, finetune_epochs=0, weights="none"
    )
    parts = measure(config, TASK, last_stage=True)
    assert {(p.finetune, p.step_flops, p.finetune_checkpoint) for p in parts} == {(0.0, 0.0, 0.0)}
    assert all(p.head > 0 for p in parts)

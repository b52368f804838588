"""Whatever a space suggests can be trained: two steps a phase, and the record brings it back."""

import json

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spaces.registry import NAMED
from tests.helpers.draws import draw
from trainables.config import FineTuneConfig
from trainables.data.images import ImageSet
from trainables.training.parallel import SOLO
from trainables.training.pictures import TrialData
from trainables.two_phase import Trial

TINY = FineTuneConfig(
    weights="none", resolution_px=40, head_epochs=1, finetune_epochs=1, batch_size=32
)
CLASSES = ("airplane", "cat", "frog", "truck")


def pictures(count: int) -> ImageSet:
    rng = np.random.default_rng(0)
    return ImageSet(
        images=rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8),
        labels=np.arange(count) % len(CLASSES),
        class_names=CLASSES,
    )


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.timeout(120)
@given(seed=st.integers(0, 2**31 - 1))
@settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_a_draw_trains_and_round_trips(name, seed):
    config = draw(name, seed, TINY)
    assert FineTuneConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    data = TrialData(train=pictures(64), val=pictures(16), data_seed=0)
    trial = Trial(config, data, device=torch.device("cpu"), workers=SOLO)
    assert trial.steps_per_epoch == 2
    reports = [trial.run_epoch(epoch) for epoch in (1, 2)]
    assert [report["phase"] for report in reports] == [1, 2]
    assert sum(map(sum, reports[1]["val_confusion"])) == 16

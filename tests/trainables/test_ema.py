"""The average against its formula."""

import pytest
import torch
from torch import nn

from trainables.training.optimizers import WeightAverage


def test_the_average_equals_its_formula():
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1))
    average = WeightAverage(model, decay=0.9)
    expected = None
    for value in (1.0, 2.0, 4.0):
        with torch.no_grad():
            model[0].weight.fill_(value)
            model[1].running_mean.fill_(10 * value)
        average.update(model)
        expected = value if expected is None else 0.9 * expected + 0.1 * value
    assert average.model[0].weight.item() == pytest.approx(expected)
    assert average.model[1].running_mean.item() == pytest.approx(10 * expected)
    assert average.num_updates == 3


def test_a_restored_average_goes_on():
    model = nn.Linear(1, 1, bias=False)
    first = WeightAverage(model, decay=0.5)
    with torch.no_grad():
        model.weight.fill_(8.0)
    first.update(model)
    second = WeightAverage(nn.Linear(1, 1, bias=False), decay=0.5)
    second.restore(first.model.state_dict(), first.num_updates)
    with torch.no_grad():
        model.weight.fill_(0.0)
    for average in (first, second):
        average.update(model)
    assert second.model.weight.item() == first.model.weight.item() == 4.0

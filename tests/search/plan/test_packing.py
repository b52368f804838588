"""How many trials share a GPU."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.plan import planning
from search.plan.packing import HEADROOM, RAY_UNITS, gpu_share, pack_gpus, trials_per_gpu
from search.settings.settings import Settings
from trainables.errors import UserError

GB = 10**9


@given(count=st.integers(1, 200))
def test_so_many_shares_fit_on_a_gpu_as_ray_counts_and_no_more(count):
    units = Fraction(str(gpu_share(count))) * RAY_UNITS
    assert units.denominator == 1
    assert count * units <= RAY_UNITS < (count + 1) * units + count


@given(need=st.integers(1, 80 * GB), total=st.integers(1 * GB, 200 * GB))
def test_what_is_packed_fits_and_one_more_would_not(need, total):
    room = (1 - HEADROOM) * total
    if need > room:
        with pytest.raises(UserError, match="GPU memory"):
            trials_per_gpu(need, total)
        return
    count = trials_per_gpu(need, total)
    assert count * need <= room or math.isclose(count * need, room)
    assert (count + 1) * need > room * (1 - 1e-9)


def test_nothing_is_measured_where_the_share_is_given():
    settings = Settings(gpus_per_trial=0.5)
    assert pack_gpus(settings) is settings


def test_the_configuration_that_is_measured_is_the_one_of_most_work(monkeypatch):
    monkeypatch.setattr(planning, "NUM_DRAWS", 12)
    task = planning.dearest(Settings(space="core", gpus_per_trial=1.0))
    assert task.device == "cuda"
    assert task.dear.unfreeze == "all"
    assert task.cheap.unfreeze != "all"

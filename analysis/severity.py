"""How strong must one change be to cost as much accuracy as another?"""

from collections.abc import Callable, Sequence

import numpy as np

from analysis.statistics.metrics import FloatArray


def measure_drops(drop_at: Callable[[float], float], levels: Sequence[float]) -> FloatArray:
    """The loss of accuracy at each level, made to rise: a drop that falls again is noise."""
    return np.maximum.accumulate([max(drop_at(level), 0.0) for level in levels])


def level_for(drop: float, levels: Sequence[float], drops: FloatArray) -> float:
    """The level that costs `drop`, interpolated; the last where none costs as much.

    Args:
        drop: the loss of accuracy to be matched.
        levels: rising, from above 0.
        drops: what each costs, not falling; level 0 costs nothing.
    """
    costs, strengths = np.concatenate([[0.0], drops]), np.concatenate([[0.0], levels])
    # Of equal costs the weakest level stands for all: np.interp wants its abscissae to rise.
    first = np.concatenate([[True], np.diff(costs) > 0])
    return float(np.interp(drop, costs[first], strengths[first]))

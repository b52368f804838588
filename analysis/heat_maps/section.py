"""Does the model look at the object? Heat maps illustrate; that they never decide is the point.

A rule such as "most of the mass lies on the object" passes models that a planted background drives
and fails clean ones. So the claim is never confirmed or refuted here: swapping backgrounds does
that. What is checked is whether the maps are worth showing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.heat_maps import checks
from analysis.statistics.claims import Assertion, Claim, verdict
from analysis.statistics.intervals import Estimate
from analysis.statistics.metrics import FloatArray, IntArray

CELLS_NEEDED = 7  # along a side; coarser maps cannot tell an object from its surroundings
LIKENESS_ALLOWED = 0.5  # to the map of random weights, as Spearman's rho
LEVEL = 0.05  # of the test that hiding what a map points at hurts more than chance
PICTURES_NEEDED = 20  # with a map that is not dead, for a check to mean anything

CLAIM = Assertion(
    claim="The model looks at the object",
    rule=(
        "Never by a heat map: background swaps decide. A map is shown as informative if it is "
        f"{CELLS_NEEDED} x {CELLS_NEEDED} cells or finer, its rank correlation with that of random "
        f"weights stays under {LIKENESS_ALLOWED}, and hiding what it points at hurts more than "
        "chance"
    ),
    control="a network with random weights, random channels, and the mean map of the class",
    section="attribution",
)
_ALIKE = {"CONFIRMED": "alike", "REFUTED": "different", "INCONCLUSIVE": "undecided"}


@dataclass(frozen=True, kw_only=True)
class Explained:
    """Maps (N, g, g) of N pictures by one method at one place, each of the predicted logit.

    Attributes:
        method: such as "Grad-CAM".
        place: the stage of a class activation map; "input" of an occlusion.
        predictions: the class that each map explains, (N,).
        maps: of the model, signed.
        of_random_weights: of a network of the same make that was never trained.
        of_random_channels: RandomCAM; None where the method knows no channels.
        starts: where cells begin along one side, in parts of the side, (g,).
        width: of a cell, likewise.
        road_gains: how far the maps' ROAD scores exceed those of a control, one a picture tried;
            None where that was not tried.
    """

    method: str
    place: str
    predictions: IntArray
    maps: npt.NDArray[np.floating]
    of_random_weights: npt.NDArray[np.floating]
    of_random_channels: npt.NDArray[np.floating] | None
    starts: FloatArray
    width: float
    road_gains: FloatArray | None = None

    def __post_init__(self) -> None:
        for other in (self.of_random_weights, self.of_random_channels):
            if other is not None and other.shape != self.maps.shape:
                raise ValueError(f"shapes are {self.maps.shape} and {other.shape}; allowed: one")
        if self.maps.shape[1:] != (len(self.starts), len(self.starts)):
            raise ValueError(
                f"maps are {self.maps.shape}; allowed: {len(self.starts)} cells a side"
            )


def attribution_section(
    explained: Sequence[Explained], *, num_resamples: int, seed: int
) -> dict[str, Any]:
    """Every method at every place with its checks, and the claim that they do not decide.

    Args:
        explained: one a method and place, the places of a method side by side.
        num_resamples: bootstrap draws.
        seed: of the bootstrap.
    """
    rng = np.random.default_rng(seed)
    rows = [_row(one, num_resamples, rng) for one in explained]
    return {
        "claims": [_claim(rows).to_dict()],
        "cells_needed": CELLS_NEEDED,
        "likeness_allowed": LIKENESS_ALLOWED,
        "centre_diameter": 2 * checks.CENTRE_RADIUS,
        "rows": rows,
        "most_road_pictures": max(
            (r["road"]["num_pictures"] for r in rows if r["road"]), default=0
        ),
        "agreement": _agreement(explained, num_resamples, rng),
    }


def _row(one: Explained, num_resamples: int, rng: np.random.Generator) -> dict[str, Any]:
    """What one method draws at one place, beside what it draws where there is nothing to find."""
    coverage = checks.centre_coverage(one.starts, one.width)
    class_means = checks.mean_maps_of_others(one.maps, one.predictions)
    centre = {
        "model": one.maps,
        "random_weights": one.of_random_weights,
        "random_channels": one.of_random_channels,
        "class_mean": class_means,
    }
    likeness = {"random_weights": one.of_random_weights, "class_mean": class_means}

    def typical(values: FloatArray, statistic: checks.Statistic) -> dict[str, float]:
        return checks.typical(values, statistic, num_resamples=num_resamples, rng=rng).to_dict()

    to_random = checks.rank_correlations(one.maps, one.of_random_weights)
    row = {
        "method": one.method,
        "place": one.place,
        "grid": len(one.starts),
        "num_pictures": len(one.maps),
        "num_dead": int(checks.is_dead(one.maps).sum()),
        "num_dead_random_weights": int(checks.is_dead(one.of_random_weights).sum()),
        "num_compared": int((~np.isnan(to_random)).sum()),
        "likeness": {
            name: typical(checks.rank_correlations(one.maps, maps), np.mean)
            for name, maps in likeness.items()
        },
        "centre_lift": {
            name: None if maps is None else typical(checks.centre_lifts(maps, coverage), np.median)
            for name, maps in centre.items()
        },
    }
    row["road"] = None if one.road_gains is None else _road(one.road_gains, typical)
    word, remark = _judged(row)
    return {**row, "word": word, "remark": remark}


def _road(
    gains: FloatArray, typical: Callable[[FloatArray, checks.Statistic], dict[str, float]]
) -> dict[str, Any]:
    """The mean gain, and the one-sided paired Wilcoxon test that there is any."""
    test = stats.wilcoxon(gains, alternative="greater") if gains.any() else None
    return {
        "num_pictures": len(gains),
        "gain": typical(gains, np.mean),
        "p": float(test.pvalue) if test else 1.0,
    }


def _judged(row: dict[str, Any]) -> tuple[str, str]:
    """A word for a table and the sentence for it; only "illustration" is worth looking at."""
    grid, likeness = row["grid"], row["likeness"]["random_weights"]
    if row["num_pictures"] and row["num_dead"] == row["num_pictures"]:
        return "dead", "nothing speaks for the class in any picture"
    if row["num_compared"] < PICTURES_NEEDED:
        return "unchecked", (
            f"{row['num_compared']} maps could be compared with random weights; "
            f"{PICTURES_NEEDED} are needed"
        )
    if not likeness["upper"] < LIKENESS_ALLOWED:
        return "uninformative", (
            "uninformative at this resolution: a network with random weights draws much the same"
        )
    road = row["road"]
    if road and not (road["gain"]["lower"] > 0 and road["p"] < LEVEL):
        return "uninformative", (
            "uninformative at this resolution: hiding what it points at hurts no more than hiding "
            "what a random map points at"
        )
    if grid < CELLS_NEEDED:
        return "too coarse", f"{grid} x {grid} cells cannot tell an object from its surroundings"
    return "illustration", "depends on what was learnt; shows, and decides nothing"


def _claim(rows: list[dict[str, Any]]) -> Claim:
    usable = [row for row in rows if row["word"] == "illustration"]
    if not usable:
        seen = "; ".join(_named(row) + ": " + row["remark"] for row in rows)
        return CLAIM.not_tested(
            "no heat map here is worth reading" + (f" ({seen})" if seen else "")
        )
    row = usable[0]
    lift = Estimate(**row["centre_lift"]["model"])
    by_chance = row["centre_lift"]["random_weights"]["value"]
    of_class = row["centre_lift"]["class_mean"]["value"]
    return CLAIM.tested(
        "INCONCLUSIVE",
        lift,
        unit="ratio",
        num_images=row["num_pictures"],
        sentence=(
            f"Symptom: {_named(row)} puts {lift.value:.2f} times as much on the picture's centre "
            f"as a flat map would ({lift.lower:.2f} to {lift.upper:.2f}). Test: random weights "
            f"put {by_chance:.2f} there, the mean map of the other pictures of the class "
            f"{of_class:.2f}. Verdict: heat maps alone never settle this; the background swaps do."
        ),
    )


def _named(row: dict[str, Any]) -> str:
    return f"{row['method']} at {row['place']} ({row['grid']} x {row['grid']} cells)"


def _agreement(
    explained: Sequence[Explained], num_resamples: int, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Do neighbouring places tell the same story, at the coarser of their grids?"""
    agreements = []
    for first, second in pairwise(explained):
        grid = min(len(first.starts), len(second.starts))
        if first.method != second.method or grid < 2:
            continue  # one cell has no order to compare
        rho = checks.rank_correlations(
            checks.shrunk(first.maps, grid), checks.shrunk(second.maps, grid)
        )
        alike = checks.typical(rho, np.mean, num_resamples=num_resamples, rng=rng)
        agreements.append(
            {
                "method": first.method,
                "places": [first.place, second.place],
                "grid": grid,
                "rank_correlation": alike.to_dict(),
                "word": _ALIKE[verdict(alike, LIKENESS_ALLOWED)],
            }
        )
    return agreements

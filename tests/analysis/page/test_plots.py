"""Figures are valid inline SVG in the page's own colours, whatever the values."""

import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.axes import Axes

from analysis.page import plots
from analysis.page.svg import COLOURS, draw_svg

pytestmark = pytest.mark.timeout(30)  # a busy machine takes seconds a figure

TRAJECTORY = {
    "trial": 1,
    "best_epoch": 3,
    "last_head_epoch": 2,
    "epochs": [1, 2, 3],
    "curves": {name: [0.3, 0.4, 0.6] for name in plots.CURVE_STYLES},
}
FIGURES = {
    "gate": lambda axes: plots.gate_interval(axes, (0.7, 0.68, 0.72), 0.65),
    "confusion": lambda axes: plots.confusion_heatmap(axes, [[5, 1], [0, 6]], ["ant", "bee"]),
    "no confusion": lambda axes: plots.confusion_heatmap(axes, [[5, 0], [0, 0]], ["ant", "bee"]),
    "class F1": lambda axes: plots.class_f1(
        axes,
        ["ant", "bee"],
        ["rigid", "organic"],
        np.array([[0.5, 0.4, 0.6], [np.nan] * 3]),
        0.5,
    ),
    "accuracy": lambda axes: plots.accuracy_curves(axes, TRAJECTORY),
    "loss": lambda axes: plots.loss_curves(axes, TRAJECTORY),
    "fresh seeds": lambda axes: plots.fresh_seeds(
        axes,
        [
            {"trial": 3, "selected": 0.8, "figures": [0.7, 0.75], "mean": 0.725},
            {"trial": 5, "selected": 0.7, "figures": [0.7, None], "mean": None},
        ],
        3,
        (0.7, 0.68, 0.72),
    ),
    "search": lambda axes: plots.search_curves(
        axes,
        [
            {"trial": 0, "status": "stopped", "epochs": [1], "val_macro_f1": [0.2]},
            {"trial": 1, "status": "finished", "epochs": [1, 2], "val_macro_f1": [0.3, None]},
        ],
        TRAJECTORY,
    ),
}


def draw(name: str) -> str:
    return draw_svg(FIGURES[name], width_px=300, height_px=200, description=f"the {name} figure")


@pytest.mark.parametrize("name", FIGURES)
def test_inline_svg(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = draw(name)
    root = ElementTree.fromstring(svg)
    assert root.attrib["viewBox"] == "0 0 300 200"
    assert root.attrib["aria-label"] == f"the {name} figure"
    assert not set(COLOURS) & set(re.findall("#[0-9a-f]{6}", svg))
    assert "var(--" in svg
    assert "<style" not in svg
    assert svg == draw(name)


def test_text_is_text() -> None:
    svg = draw_svg(
        lambda axes: plots.confusion_heatmap(axes, [[51, 7], [0, 6]], ["$x^2$", "<b>&amp;"]),
        width_px=300,
        height_px=300,
        description='a "quoted" <figure>',
    )
    texts = list(ElementTree.fromstring(svg).itertext())
    for expected in ("51", "7", "$x^2$", "<b>&amp;", "predicted"):
        assert expected in [text.strip() for text in texts]


def test_counts_give_way_when_classes_are_many() -> None:
    names = [f"class {k}" for k in range(21)]
    counts = (np.eye(21, dtype=int) * 77).tolist()
    svg = draw_svg(
        lambda axes: plots.confusion_heatmap(axes, counts, names),
        width_px=400,
        height_px=400,
        description="many",
    )
    assert "77" not in "".join(ElementTree.fromstring(svg).itertext())


def test_selected_epoch_and_unfreeze_point_are_where_they_were_told() -> None:
    seen: list[Axes] = []

    def spy(axes: Axes) -> Axes:
        seen.append(plots.accuracy_curves(axes, TRAJECTORY))
        return axes

    draw_svg(spy, width_px=300, height_px=200, description="spy")
    lines = {str(line.get_label()): line for line in seen[0].lines}
    np.testing.assert_array_equal(lines["selected epoch"].get_xydata(), [[3, 0.6]])
    np.testing.assert_array_equal(lines["_child4"].get_xdata(), [2.5, 2.5])

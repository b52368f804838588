"""Colour: the frog that needs its green, and the one that does not."""

import json

import numpy as np

from analysis.shortcuts.colour import colour_section, histogram_auc
from tests.helpers.variants import make_variants, pulled_to, right_with


def colours(hue, **tints):
    calm = {f"tint_{name}": right_with({}) for name in ("red", "green", "blue", "magenta")}
    return {f"hue_{degrees}": hue for degrees in (-60, 60, 120, 180)} | calm | tints


def frog_claim(told):
    return told["claims"][0]


def test_a_frog_that_is_its_green() -> None:
    told = colour_section(
        make_variants(
            colours(right_with({"frog": 0.3}), tint_green=pulled_to("frog", 0.4, right_with({})))
        )
    )
    assert told["flagged"] == ["frog"]
    row = next(row for row in told["classes"] if row["name"] == "frog")
    assert row["tint"] == "green"
    assert row["hue_excess"]["lower"] > 0.4
    assert frog_claim(told)["verdict"] == "CONFIRMED"
    json.dumps(told)


def test_colour_that_helps_without_green_drawing_is_not_the_phenomenon() -> None:
    told = colour_section(make_variants(colours(right_with({"frog": 0.3}))))
    assert told["flagged"] == ["frog"]
    assert frog_claim(told)["verdict"] == "INCONCLUSIVE"


def test_what_harms_all_classes_alike_flags_none() -> None:
    told = colour_section(make_variants(colours(right_with({}, 0.4))))
    assert told["flagged"] == []
    assert frog_claim(told)["verdict"] == "REFUTED"


def test_a_histogram_tells_colours_apart_and_noise_not() -> None:
    variants = make_variants({}, images_per_class=20)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (400, 16, 16, 3)).astype(np.uint8)
    frogs = variants.labels.index[variants.labels == 5]
    images[frogs, :, :, 0] //= 4
    told = histogram_auc(variants, images)
    assert told["frog"] > 0.95
    assert told["ship"] < 0.8

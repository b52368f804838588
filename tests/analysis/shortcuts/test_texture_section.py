"""Texture: pairs told by texture or by shape, and what an injected texture draws."""

import json

from analysis.shortcuts.texture import texture_section
from analysis.shortcuts.vehicle_halves import vehicle_halves_section
from tests.helpers.variants import make_variants, pulled_to, right_with


def shapes(shuffled, blurred):
    return {
        **{f"shuffle_{tile}": shuffled for tile in (8, 4)},
        **{f"blur_as_shuffle_{tile}": blurred for tile in (8, 4)},
        "noise_as_shuffle_8": blurred,
    }


def textures(**changed):
    calm = {
        f"{arm}_{name}": right_with({})
        for arm in ("texture", "noise_like")
        for name in ("stripes", "spots", "patches")
    }
    return calm | changed


def test_a_pair_told_by_texture() -> None:
    # In `right_with` a wrong cat is taken for a dog, so its two-way choice is wrong as well.
    told = texture_section(make_variants(shapes(right_with({}), right_with({"cat": 0.5}))))
    assert told["pairs"][0]["reads"] == "texture"
    assert told["claims"][0]["verdict"] == "CONFIRMED"
    json.dumps(told)


def test_a_pair_told_by_shape_refutes_the_claim() -> None:
    told = texture_section(make_variants(shapes(right_with({"cat": 0.5}), right_with({}))))
    assert told["pairs"][0]["reads"] == "shape"
    assert told["claims"][0]["verdict"] == "REFUTED"


def test_any_pair_can_be_asked_about() -> None:
    told = texture_section(
        make_variants(shapes(right_with({}), right_with({"ship": 0.4}))),
        pairs=[("ship", "truck")],
        controls=[("cat", "dog"), ("ship", "frog")],
    )
    assert told["pairs"][0]["reads"] == "texture"


def test_a_texture_draws_only_if_noise_does_not() -> None:
    drawn = pulled_to("dog", 0.5, right_with({}))
    told = texture_section(make_variants(textures(texture_stripes=drawn)))
    assert told["flagged"] == ["dog"]
    both = make_variants(textures(texture_stripes=drawn, noise_like_stripes=drawn))
    assert texture_section(both)["flagged"] == []


def halves(**changed):
    calm = {
        f"{side}_of_{donor}": right_with({})
        for side in ("top", "bottom", "left", "right")
        for donor in ("same", "partner")
    }
    return calm | changed


def test_the_half_above_the_chassis() -> None:
    told = vehicle_halves_section(
        make_variants(halves(top_of_partner=right_with({"automobile": 0.2, "truck": 0.2})))
    )
    assert told["pairs"][0]["top_over_bottom"]["lower"] > 0.1
    assert told["claims"][0]["verdict"] == "CONFIRMED"
    assert vehicle_halves_section(make_variants(halves()))["claims"][0]["verdict"] != "CONFIRMED"


def test_no_rows_test_nothing() -> None:
    variants = make_variants({})
    assert texture_section(variants)["claims"][0]["verdict"] == "NOT TESTED"
    assert vehicle_halves_section(variants)["claims"][0]["verdict"] == "NOT TESTED"

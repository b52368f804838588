"""Background: planted answers are found, and nothing is where nothing was planted."""

import json

from analysis.shortcuts.background import background_section
from tests.helpers.variants import NAMES, make_variants, pulled_to, right_with


def swaps(**changed):
    calm = {
        f"{region}_{donor}": right_with({})
        for region in ("ellipse", "rim")
        for donor in ("same", "other")
    }
    return {
        **calm,
        "ellipse_placebo": right_with({}),
        "only_background": right_with({}, 0.1),
    } | changed


def test_a_class_that_hangs_on_its_background_fails_and_is_named() -> None:
    lost = right_with({"cat": 0.4})
    told = background_section(
        make_variants(swaps(ellipse_other=pulled_to("cat", 0.5, lost), rim_other=lost))
    )
    assert told["flagged"] == ["cat"]
    assert told["attractors"] == ["cat"]
    rows = {row["name"]: row for row in told["classes"]}
    assert 0.4 < rows["cat"]["gap"]["value"] < 0.6
    assert rows["cat"]["attraction"]["lower"] > 0.4
    assert told["claims"][0]["verdict"] == "CONFIRMED"
    json.dumps(told)


def test_the_culprit_draws_other_classes_on_the_rim_too() -> None:
    lost = right_with({"cat": 0.4})
    ellipse = pulled_to("cat", 0.5, lost)
    for rim, culprits in ((lost, []), (pulled_to("cat", 0.2, lost), ["cat"])):
        told = background_section(make_variants(swaps(ellipse_other=ellipse, rim_other=rim)))
        assert told["flagged"] == ["cat"]
        assert told["culprits"] == culprits


def test_a_gap_in_the_ellipse_alone_may_be_shape_and_is_not_enough() -> None:
    told = background_section(make_variants(swaps(ellipse_other=right_with({"cat": 0.4}))))
    assert told["flagged"] == []
    assert next(r for r in told["classes"] if r["name"] == "cat")["verdict"] == "INCONCLUSIVE"


def test_a_gap_on_the_rim_alone_is_too_small_to_matter() -> None:
    told = background_section(make_variants(swaps(rim_other=right_with({"cat": 0.4}))))
    assert told["flagged"] == []
    assert next(r for r in told["classes"] if r["name"] == "cat")["verdict"] == "REFUTED"


def test_without_a_plant_every_class_is_cleared() -> None:
    told = background_section(make_variants(swaps()))
    assert {row["verdict"] for row in told["classes"]} == {"REFUTED"}
    assert [claim["verdict"] for claim in told["claims"]] == ["REFUTED"] * 3


def test_the_decks_pair_is_confirmed_by_its_own_direction_only() -> None:
    told = background_section(
        make_variants(swaps(ellipse_other=pulled_to("airplane", 0.6, right_with({}))))
    )
    drawn = {(row["true"], row["donor"]) for row in told["pairs"] if row["attracts"]}
    assert drawn == {(name, "airplane") for name in NAMES if name != "airplane"}
    assert [claim["verdict"] for claim in told["claims"][1:]] == ["CONFIRMED", "CONFIRMED"]


def test_few_pictures_test_nothing() -> None:
    told = background_section(make_variants(swaps(), images_per_class=5))
    assert {row["verdict"] for row in told["classes"]} == {"NOT TESTED"}
    assert {claim["verdict"] for claim in told["claims"]} == {"NOT TESTED"}


def test_no_swaps_give_a_reason() -> None:
    told = background_section(make_variants({}))
    assert not told["tested"]
    assert told["claims"][0]["verdict"] == "NOT TESTED"

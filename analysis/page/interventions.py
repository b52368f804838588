"""The figures of the sections on background, colour, texture and halves."""

from typing import Any

from markupsafe import Markup

from analysis.page.rows import forest_figure


def background_figures(section: dict[str, Any]) -> dict[str, Markup]:
    """`background`: BG-gap of each class in the ellipse and on the rim, and its placebo."""
    if not section["tested"]:
        return {}
    rows = section["classes"]
    series = {
        "ellipse": [row["gap"] for row in rows],
        "rim": [row["rim_gap"] for row in rows],
        "placebo": [row["placebo"] for row in rows],
    }
    drawn = forest_figure(
        [row["name"] for row in rows],
        series,
        floor=section["floor"],
        description="Loss with another class's background, by class, with intervals.",
    )
    return {"background": drawn}


def colour_figures(section: dict[str, Any]) -> dict[str, Markup]:
    """`colour`: loss under turned hues beyond the other classes' loss, by class."""
    if not section["tested"]:
        return {}
    rows = section["classes"]
    drawn = forest_figure(
        [row["name"] for row in rows],
        {"hue": [row["hue_excess"] for row in rows]},
        floor=section["floor"],
        description="Loss under turned hues beyond the other classes' loss, with intervals.",
    )
    return {"colour": drawn}


def texture_figures(section: dict[str, Any]) -> dict[str, Markup]:
    """`texture`: gain of shuffled tiles over blur, pair by pair (where there are pairs)."""
    rows = [*section["pairs"], *section["controls"]]
    if not rows:
        return {}
    drawn = forest_figure(
        [" / ".join(row["pair"]) for row in rows],
        {"tiles over blur": [row["gain"] for row in rows]},
        floor=section["floor"],
        description="Gain of shuffled tiles over blur in telling each pair apart, with intervals.",
    )
    return {"texture": drawn}


def vehicle_halves_figures(section: dict[str, Any]) -> dict[str, Markup]:
    """`chassis`: top over bottom and left over right half, pair by pair."""
    if not section["tested"]:
        return {}
    rows = section["pairs"]
    drawn = forest_figure(
        [" / ".join(row["pair"]) for row in rows],
        {
            "top over bottom": [row["top_over_bottom"] for row in rows],
            "left over right": [row["left_over_right"] for row in rows],
        },
        floor=section["floor"],
        description="How much more one half of a picture tells each pair apart than the other.",
    )
    return {"chassis": drawn}


def interventions_figures(
    background: dict[str, Any], colour: dict[str, Any], texture: dict[str, Any]
) -> dict[str, Markup]:
    """Background, colour and texture of every class in one plot; none where one is untested."""
    if not (background["tested"] and colour["tested"] and texture["tile_gains"]):
        return {}
    drawn = forest_figure(
        [row["name"] for row in background["classes"]],
        {
            "background": [row["gap"] for row in background["classes"]],
            "hue": [row["hue_excess"] for row in colour["classes"]],
            "tiles over blur": [row["gain_excess"] for row in texture["tile_gains"]],
        },
        floor=background["floor"],
        description="Background gap, hue loss and tile gain of every class, with intervals.",
    )
    return {"interventions": drawn}

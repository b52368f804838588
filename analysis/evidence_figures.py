"""The pixels of the evidence sheets: picture, heat map, overlay, difference and swaps."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from analysis.heat_maps.evidence import HeatMaps
from analysis.page.pictures import heat_picture, inline_image, overlay, signed_picture


def evidence_figures(
    section: dict[str, Any],
    images: npt.NDArray[np.uint8],
    heat: HeatMaps,
    variant_images: Mapping[str, npt.NDArray[np.uint8]],
) -> dict[str, Markup]:
    """By `evidence-KIND-INDEX`: KIND is input, heat, overlay, true, difference or a swap's name.

    Args:
        section: of `evidence_section`, also as read from report.json.
        images: the whole test, uint8 (N, S, S, 3).
        heat: the maps that the section is of.
        variant_images: name of a swap -> the M swapped pictures, uint8 (M, S, S, 3).
    """
    places = {int(index): place for place, index in enumerate(heat.indices)}
    strongest = heat.strongest
    figures: dict[str, Markup] = {}
    for sheet in section["sheets"]:
        for entry in sheet["pictures"]:
            index, place = entry["index"], places[entry["index"]]
            picture, predicted, true = images[index], heat.predicted[place], heat.true[place]
            wrong, label = entry["prediction"], entry["label"]
            drawn = {
                "input": (picture, f"picture {index}, {label}"),
                "heat": (heat_picture(predicted, strongest), f"heat map for {wrong}"),
                "overlay": (overlay(picture, predicted, strongest), f"the same over {index}"),
                "true": (heat_picture(true, strongest), f"heat map for {label}"),
                "difference": (
                    signed_picture(predicted - true, strongest),
                    f"heat map for {wrong} rather than {label}",
                ),
            } | {
                name: (variant_images[name][place], f"picture {index}, {name}")
                for name in section["variant_names"]
            }
            figures |= {
                f"evidence-{kind}-{index}": inline_image(pixels, description)
                for kind, (pixels, description) in drawn.items()
            }
    return figures

"""Pictures and heat maps as lossless WebP in the page: the browser enlarges them pixel by pixel.

The pixels of the pictures that sections name, and the evidence sheets: picture, heat map, overlay,
difference and swaps.
"""

import base64
import io
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from markupsafe import Markup
from PIL import Image

from analysis.heat_maps.evidence import HeatMaps
from analysis.statistics.metrics import FloatArray

MOST_PX = 32  # of a stored picture's side; a larger one is shrunk, or the page would weigh too much
HEAT = mpl.colormaps["inferno"]  # dark to light in equal steps, also without colour vision
SIGNED = mpl.colormaps["PuOr"]  # orange against, purple for; white: neither
DEEPEST = 0.75  # opacity of the heat over a picture, where it is strongest
Picture = npt.NDArray[np.uint8]  # (S, S, 3)


def inline_image(picture: Picture, description: str, *, css_class: str = "picture") -> Markup:
    """An `<img>` element with its pixels inside; the style sheet sets its size.

    Args:
        picture: uint8 (S, S, 3).
        description: what is seen, for readers who cannot see it.
        css_class: of the element.
    """
    return Markup(
        f'<img class="{escape(css_class)}" src="{data_uri(picture)}" alt="{escape(description)}">'
    )


def data_uri(picture: Picture) -> str:
    """The picture as a lossless WebP of its own pixels, `MOST_PX` a side at most."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    image.thumbnail((MOST_PX, MOST_PX), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=True, method=2)  # 6: 70 times as long, no smaller
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def heat_picture(heat: npt.NDArray[np.floating], strongest: float) -> Picture:
    """A map's positive part, one pixel a cell, (g, g, 3).

    Args:
        heat: signed map, (g, g).
        strongest: the value that is drawn lightest, the same for all maps that are compared.
    """
    return _coloured(_shares(heat, strongest), HEAT)


def signed_picture(heat: npt.NDArray[np.floating], strongest: float) -> Picture:
    """A signed map, one pixel a cell, (g, g, 3); `strongest` as above, of the absolute value."""
    shares = np.asarray(heat, np.float64) / strongest if strongest > 0 else np.zeros(heat.shape)
    return _coloured((np.clip(shares, -1, 1) + 1) / 2, SIGNED)


def overlay(picture: Picture, heat: npt.NDArray[np.floating], strongest: float) -> Picture:
    """The picture under its heat map, (S, S, 3): the more heat, the less picture.

    Each cell keeps its edges, so that the eye sees how coarse the map is.
    """
    side = len(picture)
    cells = np.arange(side) * len(heat) // side  # of each pixel, along either side
    shares = _shares(heat, strongest)[np.ix_(cells, cells)]
    alpha = DEEPEST * shares[..., None]
    blended = (1 - alpha) * picture + alpha * _coloured(shares, HEAT)
    return blended.round().astype(np.uint8)


def _shares(heat: npt.NDArray[np.floating], strongest: float) -> FloatArray:
    """Of the strongest, in [0, 1]; all 0 where nothing is strong."""
    if not strongest > 0:
        return np.zeros(heat.shape)
    return np.clip(np.asarray(heat, np.float64) / strongest, 0, 1)


def _coloured(shares: FloatArray, colours: mpl.colors.Colormap) -> Picture:
    coloured: Picture = colours(shares, bytes=True)[..., :3]
    return coloured


def gallery_entries(section: dict[str, Any]) -> list[dict[str, Any]]:
    """Each picture that a `gallery_section` names; one may be there twice."""
    strips = [entry for s in section["strips"] for entry in (*s["random"], *s["surest"])]
    return [*section["grid"], *strips]


def gallery_figures(
    entries: Iterable[dict[str, Any]], images: npt.NDArray[np.uint8]
) -> dict[str, Markup]:
    """Each picture by `gallery-INDEX`.

    Args:
        entries: of `picture_entry`, also as read from report.json.
        images: uint8 (N, S, S, 3), the same as the entries are of.
    """
    return {
        f"gallery-{entry['index']}": inline_image(
            images[entry["index"]], f"picture {entry['index']}, {entry['label']}"
        )
        for entry in entries
    }


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

"""The pixels of the pictures that sections name."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from analysis.page.pictures import inline_image


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

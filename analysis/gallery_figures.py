"""The pixels of a gallery's pictures."""

from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from analysis.thumbnails import inline_image


def gallery_figures(section: dict[str, Any], images: npt.NDArray[np.uint8]) -> dict[str, Markup]:
    """Each picture that a gallery names, by `gallery-INDEX`.

    Args:
        section: of `gallery_section`, also as read from report.json.
        images: uint8 (N, S, S, 3), the same as the section is of.
    """
    entries = [*section["grid"]]
    for strip in section["strips"]:
        entries += [*strip["random"], *strip["surest"]]
    return {
        f"gallery-{entry['index']}": inline_image(
            images[entry["index"]], f"picture {entry['index']}, {entry['label']}"
        )
        for entry in entries
    }

"""One half of a picture replaced by the same half of a donor."""

from typing import Literal, get_args

from analysis.perturbations.donors import Images

Side = Literal["top", "bottom", "left", "right"]
SIDES: tuple[Side, ...] = get_args(Side)


def replace_half(images: Images, donors: Images, side: Side) -> Images:
    """The pictures with their donors' pixels in that half; both (N, S, S, 3)."""
    middle = images.shape[1] // 2
    first, second = slice(None, middle), slice(middle, None)
    rows = {"top": first, "bottom": second}.get(side, slice(None))
    columns = {"left": first, "right": second}.get(side, slice(None))
    result = images.copy()
    result[:, rows, columns] = donors[:, rows, columns]
    return result

"""Albumentations policies and the epoch views drawn with them.

An epoch view is the whole training split as epoch e sees it: a function of (pictures, which of them
are organic, policy, data seed, e) and of nothing else. All trials of a search share it, so they are
compared on common random numbers and their frozen features are equal. Pictures are augmented at
their base size; upscaling happens later, on the device. Only the training split is ever augmented.
"""

import math
import os
import random
import zlib
from typing import Any

# Without this, importing Albumentations asks the package index for its newest version.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

import albumentations as A
import cv2
import numpy as np
from numpy.typing import NDArray

from trainables.augmentations import POLICIES, Policy
from trainables.errors import UserError

SHIFT = 0.125  # of the side: the 4 px of 32 that are customary for CIFAR-10


class QuickAffine(A.ImageOnlyTransform):
    """Shift, turn and scale about the centre: `A.Affine` at a fifth of its cost on 32 px.

    `A.Affine` also makes the matrices for boxes and key points and compares each with the identity,
    which takes longer than warping a small picture.

    Args:
        shift: of the side, at most; whole pixels, each axis on its own.
        degrees: turned either way, at most.
        scale: lowest and highest factor, each axis on its own.
        p: share of the pictures that are warped.
    """

    def __init__(self, *, shift: float, degrees: float, scale: tuple[float, float], p: float):
        super().__init__(p=p)
        self.shift, self.degrees, self.scale = shift, degrees, scale

    def get_params_dependent_on_data(
        self, params: dict[str, Any], data: dict[str, Any]
    ) -> dict[str, Any]:
        """Draw the 2 x 3 matrix from source to target pixels; the axes point right and down."""
        height, width = params["shape"][:2]
        draw = self.py_random
        angle = math.radians(draw.uniform(-self.degrees, self.degrees))
        scale_x, scale_y = draw.uniform(*self.scale), draw.uniform(*self.scale)
        max_x, max_y = round(self.shift * width), round(self.shift * height)
        shift_x, shift_y = draw.randint(-max_x, max_x), draw.randint(-max_y, max_y)
        xx, xy = math.cos(angle) * scale_x, math.sin(angle) * scale_y
        yx, yy = -math.sin(angle) * scale_x, math.cos(angle) * scale_y
        centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
        matrix = [
            [xx, xy, centre_x - xx * centre_x - xy * centre_y + shift_x],
            [yx, yy, centre_y - yx * centre_x - yy * centre_y + shift_y],
        ]
        return {"matrix": np.array(matrix)}

    def apply(self, img: np.ndarray, matrix: np.ndarray, **params: Any) -> np.ndarray:
        """Warp one picture; beyond its border it is mirrored."""
        size = img.shape[1::-1]
        return cv2.warpAffine(
            img, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )


def policy_transforms(policy: str, *, organic: bool = False) -> list[A.BasicTransform]:
    """The Albumentations steps of a policy, for pictures of 32 px or so.

    Args:
        policy: one of `POLICIES`.
        organic: for pictures of organic classes.

    Raises:
        ValueError: the policy is unknown.
    """
    row = _row(policy)
    steps: list[A.BasicTransform] = [A.HorizontalFlip(p=0.5)] if row.flips else []
    if warp := row.organic if organic else row.rigid:
        steps += [
            QuickAffine(shift=SHIFT, degrees=warp.degrees, scale=warp.scale, p=0.9),
            A.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0.2, p=0.5),
        ]
    return steps


def _row(policy: str) -> Policy:
    if policy not in POLICIES:
        raise ValueError(f"policy is {policy!r}; allowed: {', '.join(POLICIES)}")
    return POLICIES[policy]


def epoch_view(
    images: NDArray[np.uint8],
    *,
    policy: str,
    data_seed: int,
    epoch: int,
    organic: NDArray[np.bool_] | None = None,
) -> NDArray[np.uint8]:
    """The training pictures as an epoch sees them.

    What becomes of a picture depends on its place, on what it shows and, for "adaptive", on whether
    it is organic, but not on any other picture: the steps for both kinds draw the same number
    of random numbers, from one stream.

    Args:
        images: uint8 (N, S, S, 3), of the training split.
        policy: one of `POLICIES`.
        data_seed: the same for all trials of a search.
        epoch: 1-based.
        organic: bool (N,), which pictures are of organic classes; "adaptive" needs it.

    Returns:
        uint8 (N, S, S, 3); `images` itself for "none".

    Raises:
        UserError: "adaptive" where no picture is organic.
    """
    if policy == "none":
        return images
    if organic is None:
        organic = np.zeros(len(images), dtype=bool)
    if _row(policy).needs_organic and not organic.any():
        raise UserError(
            f"augmentation is {policy!r} for pictures none of which is organic; allowed: data with "
            "classes that the setting `organic` names; choose 'standard'"
        )
    seed = np.random.SeedSequence([data_seed, epoch, zlib.crc32(policy.encode())])
    streams = np.random.default_rng(seed), random.Random(int(seed.generate_state(1, np.uint64)[0]))
    augment = {
        kind: A.Compose(policy_transforms(policy, organic=kind), is_check_shapes=False)
        for kind in (False, True)
    }
    for steps in augment.values():
        # Not Compose's `seed`: it gives every step a stream of its own that starts the same, so
        # that the first picture would be flipped exactly when it is lit, and so on.
        steps.set_random_state(*streams)
    view = np.empty_like(images)
    for i, (image, kind) in enumerate(zip(images, organic.tolist(), strict=True)):
        view[i] = augment[kind](image=image)["image"]
    return view

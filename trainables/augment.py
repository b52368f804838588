"""Albumentations policies and the epoch views drawn with them.

An epoch view is the whole training split as epoch e sees it: a function of (pictures, policy,
data seed, e) and of nothing else. All trials of a search share it, so they are compared on common
random numbers and their frozen features are equal. Pictures are augmented at their base size;
upscaling happens later, on the device.
"""

import zlib

import albumentations as A
import cv2
import numpy as np


def policy_transforms(policy: str) -> list[A.BasicTransform]:
    """The Albumentations steps of a policy, for pictures of 32 px or so.

    none      the pictures as they are
    flip      mirrored left-right, half of the time
    standard  flip, then shift, turn and scale a little, then brightness and contrast (deck A)
    """
    flip = A.HorizontalFlip(p=0.5)
    if policy == "none":
        return []
    if policy == "flip":
        return [flip]
    if policy == "standard":
        # 12.5 % of 32 px is the 4 px shift that is customary for CIFAR-10.
        affine = A.Affine(
            translate_percent=(-0.125, 0.125),
            rotate=(-10, 10),
            scale=(0.9, 1.1),
            border_mode=cv2.BORDER_REFLECT_101,
            p=0.9,
        )
        light = A.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0.2, p=0.5)
        return [flip, affine, light]
    raise ValueError(f"policy is {policy!r}; allowed: none, flip, standard")


def epoch_view(images: np.ndarray, *, policy: str, data_seed: int, epoch: int) -> np.ndarray:
    """The pictures uint8 (N, S, S, 3) as epoch `epoch` (1-based) sees them: same shape, dtype."""
    transforms = policy_transforms(policy)
    if not transforms:
        return images
    seed = np.random.SeedSequence([data_seed, epoch, zlib.crc32(policy.encode())])
    augment = A.Compose(transforms, seed=int(seed.generate_state(1)[0]))
    view = np.empty_like(images)
    for i, image in enumerate(images):
        view[i] = augment(image=image)["image"]
    return view

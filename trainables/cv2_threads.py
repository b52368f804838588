"""OpenCV on one thread for a while: small pictures lose time to its pool on a busy machine."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2


@contextmanager
def one_cv2_thread() -> Iterator[None]:
    """One thread inside, the number of before outside."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)

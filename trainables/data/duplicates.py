"""Pictures that occur more than once, within one split or in two.

Near duplicates: perceptual hashes propose pairs, the correlation of the pixels confirms them.

The hash is the DCT-based pHash (Zauner, "Implementation and benchmarking of perceptual image hash
functions", 2010) with one change: a bit is the sign of its coefficient instead of its side of the
median. Mirroring a picture negates exactly the coefficients of odd horizontal frequency, so the
hash of the mirrored picture is the hash XOR one constant and costs nothing.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt
from scipy.fft import dct

from trainables.data.load import Part

HASH_SIDE = 8  # 8 x 8 lowest frequencies without the constant ones: 64 bits
MAX_HAMMING = 12  # of 64 bits; two unrelated pictures differ in about 32
# Of the pairs of CIFAR-10 pictures within MAX_HAMMING, all those above this are one photograph
# to the eye (resized, cropped by a pixel or two, recoloured); just below it lookalikes begin.
MIN_CORRELATION = 0.90
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601
CHUNK = 256  # pictures at a time: bounds the memory
# Bit 8 * u + v holds the sign at vertical frequency u + 1 and horizontal frequency v + 1.
MIRRORED_BITS = np.uint64(sum(1 << bit for bit in range(64) if (bit % HASH_SIDE + 1) % 2 == 1))
Images = npt.NDArray[np.uint8]  # (N, S, S, 3)
Hashes = npt.NDArray[np.uint64]  # (N,)
Indices = npt.NDArray[np.int64]  # (P,), one a pair


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two occurrences of a picture, the first in the earlier split."""

    splits: tuple[str, str]
    places: tuple[str, str]
    labels: tuple[str, str]
    exact: bool
    mirrored: bool = False
    correlation: float = 1.0

    @property
    def labels_differ(self) -> bool:
        return self.labels[0] != self.labels[1]

    def __str__(self) -> str:
        first, second = self.places
        if self.exact:
            return f"{first} = {second}"
        mirrored = " mirrored" if self.mirrored else ""
        return f"{first} ~ {second}{mirrored}, correlation {self.correlation:.3f}"


def find_pairs(parts: Mapping[str, Part]) -> list[Pair]:
    """All pairs, exact ones first, then near ones from the most alike downwards.

    Exact: equal pixels (SHA-256). A picture with several copies in a split is paired once with
    each of its copies there, and once with each copy in a later split. Near: as
    `trainables.data.duplicates` defines it; exact copies take part once.
    """
    occurrences = _Occurrences(parts)
    groups = _equal_pictures(occurrences.images)
    copies = {later for group in groups for later in group[1:]}
    unique = np.array([i for i in range(len(occurrences.images)) if i not in copies])

    exact = [
        occurrences.pair(first, second, exact=True)
        for group in groups
        for first, second in _pairs_by_split(group, occurrences.splits)
    ]
    near = [
        occurrences.pair(
            int(unique[near.first]),
            int(unique[near.second]),
            exact=False,
            mirrored=near.mirrored,
            correlation=near.correlation,
        )
        for near in near_pairs(occurrences.images[unique])
    ]
    return exact + sorted(near, key=lambda pair: -pair.correlation)


class _Occurrences:
    """The pictures of all splits in one row, in the order of the splits."""

    def __init__(self, parts: Mapping[str, Part]) -> None:
        sets = [part.images for part in parts.values()]
        self.images: Images = np.concatenate([one.images for one in sets])
        self.splits = [name for name, part in parts.items() for _ in part.places]
        self.places = [place for part in parts.values() for place in part.places]
        self.labels = [one.class_names[label] for one in sets for label in one.labels]

    def pair(
        self,
        first: int,
        second: int,
        *,
        exact: bool,
        mirrored: bool = False,
        correlation: float = 1.0,
    ) -> Pair:
        return Pair(
            splits=(self.splits[first], self.splits[second]),
            places=(self.places[first], self.places[second]),
            labels=(self.labels[first], self.labels[second]),
            exact=exact,
            mirrored=mirrored,
            correlation=correlation,
        )


def _equal_pictures(images: Images) -> list[list[int]]:
    """Groups of two or more indices of equal pictures, each in ascending order."""
    members = defaultdict(list)
    for index, image in enumerate(images):
        members[hashlib.sha256(image.data).digest()].append(index)
    return [group for group in members.values() if len(group) > 1]


def _pairs_by_split(group: list[int], splits: list[str]) -> Iterator[tuple[int, int]]:
    """The first occurrence in a split with its copies there and in each later split."""
    members = defaultdict(list)
    for index in group:
        members[splits[index]].append(index)
    for earlier, later in combinations_with_replacement(members, 2):
        first, *copies = members[earlier]
        for second in copies if earlier == later else members[later]:
            yield first, second


@dataclass(frozen=True, kw_only=True)
class NearPair:
    """Two pictures that look alike: their indices, `first` < `second`."""

    first: int
    second: int
    mirrored: bool  # the second is the first mirrored left to right
    correlation: float


def near_pairs(images: Images) -> list[NearPair]:
    """All pairs of pictures within MAX_HAMMING bits whose grey pixels correlate.

    Constant pictures resemble nothing and are left out.

    Args:
        images: uint8 of shape (N, S, S, 3), S of at least 16 px.
    """
    textured = np.flatnonzero(~constant(images))
    pairs = []
    for first, second, mirrored in _candidates(perceptual_hashes(images[textured])):
        first, second = textured[first], textured[second]
        alike = correlations(images, first, second, mirrored=mirrored)
        pairs += [
            NearPair(
                first=int(first[k]),
                second=int(second[k]),
                mirrored=mirrored,
                correlation=float(alike[k]),
            )
            for k in np.flatnonzero(alike >= MIN_CORRELATION)
        ]
    return sorted(pairs, key=lambda pair: (pair.first, pair.second, pair.mirrored))


def constant(images: Images) -> npt.NDArray[np.bool_]:
    """Which pictures have one colour only; bool of shape (N,)."""
    flat = images.reshape(len(images), -1, 3)
    return (flat == flat[:, :1]).all(axis=(1, 2))


def perceptual_hashes(images: Images) -> Hashes:
    """The 64-bit hash of each picture."""
    basis = dct(np.eye(images.shape[1], dtype=np.float32), axis=0)[1 : HASH_SIDE + 1]
    hashes = np.empty(len(images), dtype=np.uint64)
    for start in range(0, len(images), CHUNK):
        grey = images[start : start + CHUNK] @ LUMA
        positive = basis @ grey @ basis.T > 0
        packed = np.packbits(positive.reshape(len(grey), -1), axis=1, bitorder="little")
        hashes[start : start + CHUNK] = packed.view("<u8")[:, 0]
    return hashes


def correlations(
    images: Images, first: Indices, second: Indices, *, mirrored: bool
) -> npt.NDArray[np.float32]:
    """Pearson correlation of the grey pixels of each pair, shape (P,)."""
    alike = np.empty(len(first), dtype=np.float32)
    for start in range(0, len(first), CHUNK):
        part = slice(start, start + CHUNK)
        seconds = images[second[part]]
        left = _standardised(images[first[part]])
        right = _standardised(seconds[:, :, ::-1] if mirrored else seconds)
        alike[part] = (left * right).mean(axis=1)
    return alike


def _candidates(hashes: Hashes) -> Iterator[tuple[Indices, Indices, bool]]:
    """Index pairs (first < second) within MAX_HAMMING bits, a few rows of the matrix at a time."""
    for mirrored in (False, True):
        sought = hashes ^ MIRRORED_BITS if mirrored else hashes
        for start in range(0, len(hashes), CHUNK):
            distances = np.bitwise_count(sought[start : start + CHUNK, None] ^ hashes[start:])
            first, second = np.nonzero(distances <= MAX_HAMMING)
            upper = first < second
            yield first[upper] + start, second[upper] + start, mirrored


def _standardised(images: Images) -> npt.NDArray[np.float32]:
    """Grey pixels of mean 0 and variance 1, shape (N, S * S); zeros for an even grey."""
    grey = (images @ LUMA).reshape(len(images), -1)
    centred = grey - grey.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    return centred / np.where(spread > 0, spread, 1)

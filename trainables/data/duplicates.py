"""Pictures that occur more than once, within one split or in two."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from trainables.data.hashing import Images, near_pairs
from trainables.data.load import Part


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
    `trainables.data.hashing` defines it; exact copies take part once.
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

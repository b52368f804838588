"""What the pre-flight audit asks of the three splits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from trainables.data.duplicates import Pair, constant, find_pairs
from trainables.data.images import ImageSet
from trainables.data.load import Part, fingerprint
from trainables.data.pool import first_few

# Fewer pictures of a class than this and its F1 is chance.
MIN_PER_CLASS = {"train": 10, "val": 5, "test": 5}
EXAMPLES = 3  # pairs or places named in one line


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What is wrong (stops the run) and what is worth knowing (does not), a line each."""

    faults: tuple[str, ...]
    warnings: tuple[str, ...]
    splits: dict[str, dict[str, Any]]  # split -> its figures
    duplicates: list[dict[str, Any]]  # one entry a pair of splits that share pictures


def check_splits(parts: Mapping[str, Part]) -> Findings:
    """Run every check on the splits, in the order train, val, test."""
    pairs = find_pairs(parts)
    faults = [
        *(fault for name, part in parts.items() for fault in _value_faults(name, part.images)),
        *(fault for name in ("train", "val") for fault in _starved(name, parts[name])),
        *_leaks(pairs),
        *first_few([*_label_conflicts(pairs)]),
    ]
    warnings = [
        *_starved("test", parts["test"]),  # not of this run's making, so no fault
        *(line for name, part in parts.items() for line in _constant_pictures(name, part)),
        *_copies(pairs),
        *_lookalikes(pairs),
    ]
    return Findings(
        faults=tuple(faults),
        warnings=tuple(warnings),
        splits={name: _figures(part.images) for name, part in parts.items()},
        duplicates=[_duplicate_figures(splits, shared) for splits, shared in _by_splits(pairs)],
    )


def _figures(image_set: ImageSet) -> dict[str, Any]:
    images = image_set.images
    return {
        "count": len(image_set),
        "shape": list(images.shape),
        "dtype": str(images.dtype),
        "min": int(images.min()),
        "max": int(images.max()),
        "channel_means": [round(float(mean), 2) for mean in images.mean(axis=(0, 1, 2))],
        "class_counts": dict(
            zip(image_set.class_names, map(int, image_set.class_counts), strict=True)
        ),
        "constant_pictures": int(constant(images).sum()),
        "sha256": fingerprint(image_set),
    }


def _value_faults(split: str, image_set: ImageSet) -> Iterator[str]:
    """The pixels are 0..255 and not all alike."""
    low, high = image_set.images.min(), image_set.images.max()
    if low == high:
        yield (
            f"{split}: all {len(image_set):,} pictures have the one value {low}; allowed: "
            "pictures with content; check how the files were written"
        )
    elif high <= 1:
        yield (
            f"{split}: pixel values run from {low} to {high}; allowed: 0 to 255; pictures scaled "
            "to 0..1 were stored as whole numbers, so write them again unscaled"
        )


def _starved(split: str, part: Part) -> Iterator[str]:
    """Classes with too few pictures."""
    minimum = MIN_PER_CLASS[split]
    cure = "add pictures" if split == "test" else f"raise {split}_size or add pictures"
    for name, count in zip(part.images.class_names, part.images.class_counts, strict=True):
        if count < minimum:
            yield f"{split}: class {name} has {count} pictures; allowed: at least {minimum}; {cure}"


def _constant_pictures(split: str, part: Part) -> Iterator[str]:
    places = [part.places[index] for index in np.flatnonzero(constant(part.images.images))]
    if places:
        yield (
            f"{split}: {len(places):,} of {len(part.places):,} pictures have one colour only "
            f"({_examples(places)}); remove them if they are not meant"
        )


def _leaks(pairs: list[Pair]) -> Iterator[str]:
    """Equal pictures in two splits: what was learnt by heart would count as understood."""
    for (first, second), shared in _by_splits(pairs):
        exact = [pair for pair in shared if pair.exact]
        if first != second and exact:
            yield (
                f"{first} and {second} share {len(exact):,} pictures ({_examples(exact)}); "
                "allowed: 0; remove one copy of each"
            )


def _label_conflicts(pairs: list[Pair]) -> Iterator[str]:
    for pair in pairs:
        if pair.exact and pair.labels_differ:
            yield (
                f"{'/'.join(dict.fromkeys(pair.splits))}: the same picture is labelled "
                f"{pair.labels[0]} ({pair.places[0]}) and {pair.labels[1]} ({pair.places[1]}); "
                "allowed: one label a picture; correct or remove one"
            )


def _copies(pairs: list[Pair]) -> Iterator[str]:
    for (first, second), shared in _by_splits(pairs):
        exact = [pair for pair in shared if pair.exact]
        if first == second and exact:
            yield (
                f"{first}: {len(exact):,} pictures are copies of another in the same split "
                f"({_examples(exact)}); each copy counts its picture once more"
            )


def _lookalikes(pairs: list[Pair]) -> Iterator[str]:
    for (first, second), shared in _by_splits(pairs):
        near = [pair for pair in shared if not pair.exact]
        if not near:
            continue
        where = f"{first}:" if first == second else f"{first} and {second} share"
        mirrored = sum(pair.mirrored for pair in near)
        conflicts = sum(pair.labels_differ for pair in near)
        yield (
            f"{where} {len(near):,} pairs of near duplicates, {mirrored} of them mirrored, "
            f"{conflicts} with two labels ({_examples(near)}); remove one of each, or read the "
            "scores with this in mind"
        )


def _duplicate_figures(splits: tuple[str, str], pairs: list[Pair]) -> dict[str, Any]:
    near = [pair for pair in pairs if not pair.exact]
    return {
        "splits": list(splits),
        "exact": len(pairs) - len(near),
        "near": len(near),
        "near_mirrored": sum(pair.mirrored for pair in near),
        "near_with_two_labels": sum(pair.labels_differ for pair in near),
        "examples": [str(pair) for pair in pairs[:10]],
    }


def _by_splits(pairs: list[Pair]) -> Iterator[tuple[tuple[str, str], list[Pair]]]:
    """The pairs of each two splits, the pairs' order kept."""
    order = {name: rank for rank, name in enumerate(MIN_PER_CLASS)}

    def ranks(pair: Pair) -> tuple[int, int]:
        return order[pair.splits[0]], order[pair.splits[1]]

    for _, group in groupby(sorted(pairs, key=ranks), key=ranks):
        shared = list(group)
        yield shared[0].splits, shared


def _examples(items: list[Any]) -> str:
    named = "; ".join(str(item) for item in items[:EXAMPLES])
    return named + ("; ..." if len(items) > EXAMPLES else "")

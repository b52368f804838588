"""`python -m trainables.predict EXPORT IMAGE...`: what an exported model says of pictures."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainables.command import Parser, run_main
from trainables.data.decode import Decoded, decode_one
from trainables.errors import refuse
from trainables.models.exported import read_record
from trainables.models.formats import FILES, missing_packages, open_model


def main(arguments: Sequence[str]) -> int:
    """Print a table or JSON; each picture that cannot be read is a line, and then status 2."""
    parser = Parser("trainables.predict", __doc__)
    parser.add_argument("export", type=Path, help="folder that `python -m search.export` made")
    parser.add_argument("images", type=Path, nargs="+", help="picture files")
    parser.add_argument("--json", action="store_true", help="print JSON, logits included")
    parser.add_argument("--top", type=int, default=5, help="likeliest classes in JSON (5)")
    parser.add_argument("--format", choices=FILES, default="safetensors", help="file to run")
    parser.add_argument("--batch-size", type=int, default=64, help="pictures at a time (64)")
    options = parser.parse_args(arguments)
    refuse(_faults(options))
    record = read_record(options.export)
    base_px, class_names = record["preprocessing"]["base_px"], tuple(record["labels"])
    outcomes = [(str(path), decode_one(path, base_px)) for path in options.images]
    read = [(path, found.pixels) for path, found in outcomes if isinstance(found, Decoded)]
    faults = [
        f"{path} cannot be read ({why}); allowed: a picture, such as PNG; replace or remove it"
        for path, why in outcomes
        if isinstance(why, str)
    ]
    told = []
    if read:
        paths, images = [path for path, _ in read], np.stack([pixels for _, pixels in read])
        model = open_model(options.export, options.format)
        class_names = model.class_names  # as the file that answers has them
        logits = model.predict_logits(images, batch_size=options.batch_size)
        for path, row, answer in zip(
            paths, logits, answers(logits, class_names, top=options.top), strict=True
        ):
            told.append({"picture": path, **answer, "logits": row.tolist()})
    if options.json:
        print(json.dumps({"class_names": class_names, "pictures": told}))
    else:
        print_table(told)
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    return 2 if faults else 0


def print_table(told: list[dict[str, Any]]) -> None:
    """A line a picture: the likeliest class and the second."""
    if told:
        print(f"{'class':<12}  share  {'second':<12}  share  picture")
    for row in told:
        cells = [f"{one['class']:<12} {one['probability']:6.1%}" for one in row["top"][:2]]
        print("  ".join([*cells, row["picture"]]))


def _faults(options: argparse.Namespace) -> list[str]:
    least = {"top": 1, "batch_size": 1}
    faults = [
        f"--{name.replace('_', '-')} is {getattr(options, name)}; allowed: {low} or more"
        for name, low in least.items()
        if getattr(options, name) < low
    ]
    return faults + missing_packages([options.format])


def softmax(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Probabilities (N, K) of logits (N, K); rows sum to one."""
    exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def answers(
    logits: npt.NDArray[np.float32], class_names: tuple[str, ...], *, top: int
) -> list[dict[str, Any]]:
    """For each row: its class, that class's probability, and the `top` likeliest, best first.

    The probabilities are the network's own. They are not calibrated.
    """
    told = []
    for row in softmax(logits):
        ranked = [
            {"class": class_names[index], "probability": float(row[index])}
            for index in np.argsort(-row, kind="stable")[:top]
        ]
        told.append({**ranked[0], "top": ranked})
    return told


if __name__ == "__main__":
    sys.exit(run_main(main))

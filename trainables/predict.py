"""`python -m trainables.predict EXPORT IMAGE...`: what an exported model says of pictures."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from trainables.data.decode import decode
from trainables.data.pool import Pool
from trainables.errors import UserError
from trainables.exported import load_exported


def main() -> int:
    """Print a line a picture (or one JSON object); status 2 when something cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m trainables.predict", description=__doc__)
    parser.add_argument("export", type=Path, help="folder that `python -m search.export` made")
    parser.add_argument("images", type=Path, nargs="+", help="picture files")
    parser.add_argument("--json", action="store_true", help="print logits as JSON")
    arguments = parser.parse_args()
    try:
        trained = load_exported(arguments.export)
        paths = [str(path) for path in arguments.images]
        pool = Pool(pictures=arguments.images, labels=[""] * len(paths), places=paths)
        images, _ = decode(pool, np.arange(len(paths)), base_px=trained.base_px)
    except UserError as error:
        for fault in error.faults:
            print(f"error: {fault}", file=sys.stderr)
        return 2
    logits = trained.predict_logits(images)
    labels = [trained.class_names[best] for best in logits.argmax(axis=1)]
    if arguments.json:
        print(json.dumps({"images": paths, "labels": labels, "logits": logits.tolist()}))
        return 0
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = exponentials.max(axis=1) / exponentials.sum(axis=1)
    for path, label, probability in zip(paths, labels, probabilities, strict=True):
        print(f"{label:<12} {probability:6.1%}  {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m trainables.predict EXPORT IMAGE...`: what an exported model says of pictures."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trainables.command import Parser, run_main
from trainables.data.decode import decode
from trainables.data.pool import Pool
from trainables.exported import load_exported, read_record


def main(arguments: Sequence[str]) -> None:
    """Print a line a picture (or one JSON object); all is read before the model is built."""
    parser = Parser("trainables.predict", __doc__)
    parser.add_argument("export", type=Path, help="folder that `python -m search.export` made")
    parser.add_argument("images", type=Path, nargs="+", help="picture files")
    parser.add_argument("--json", action="store_true", help="print logits as JSON")
    options = parser.parse_args(arguments)
    base_px = read_record(options.export)["preprocessing"]["base_px"]
    paths = [str(path) for path in options.images]
    pool = Pool(pictures=options.images, labels=[""] * len(paths), places=paths)
    images, _ = decode(pool, np.arange(len(paths)), base_px=base_px)

    trained = load_exported(options.export)
    logits = trained.predict_logits(images)
    labels = [trained.class_names[best] for best in logits.argmax(axis=1)]
    if options.json:
        print(json.dumps({"images": paths, "labels": labels, "logits": logits.tolist()}))
        return
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = exponentials.max(axis=1) / exponentials.sum(axis=1)
    for path, label, probability in zip(paths, labels, probabilities, strict=True):
        print(f"{label:<12} {probability:6.1%}  {path}")


if __name__ == "__main__":
    sys.exit(run_main(main))

"""Whether the three hosts have passed with the files that they exercise as these are now.

    python -m tests.cluster.passed           # exit status 0: they have
    python -m tests.cluster.passed --record  # after `make test-cluster` has passed

The tests take five minutes. `.ci/run` leaves them out where nothing that they exercise has changed
since they last passed: the file PASSED beside this one has the hash of what passed.
"""

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

from tests.cluster.hosts import ROOT, missing
from tests.cluster.readme import block

PASSED = Path(__file__).with_name("PASSED")
EXERCISED = (
    "cluster-local.yaml",
    "pyproject.toml",  # Ray's version
    "search/cluster",
    "search/doctor",
    "search/run.py",
    "search/tuning",
    "tests/cluster",
    "trainables/storage",
    "trainables/workers",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true")
    if parser.parse_args().record and not missing():  # else they were skipped
        PASSED.write_text(fingerprint() + "\n")
    sys.exit(0 if PASSED.exists() and PASSED.read_text().strip() == fingerprint() else 1)


def fingerprint() -> str:
    """Hash of the exercised files, and of the commands that are README's."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *EXERCISED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    content = hashlib.sha256(block().encode())
    for name in sorted(filter(None, listed.stdout.split("\0"))):
        if ROOT / name != PASSED:
            content.update(name.encode() + b"\0" + (ROOT / name).read_bytes())
    return content.hexdigest()


if __name__ == "__main__":
    main()

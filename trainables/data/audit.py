"""The pre-flight audit: a process of its own that sees all three splits, and then ends.

The search must never hold the test split, yet leakage into it can only be found by reading it. So
`run_audit` starts `python -m trainables.data.audit --spec spec.json --out audit.json` and takes
back figures and hashes, never a picture.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainables.command import Parser, run_main
from trainables.data.spec import DataSpec
from trainables.errors import UserError, refuse
from trainables.storage import journal
from trainables.storage.files import write_text
from trainables.storage.layout import JOURNAL

FORMAT_VERSION = 1
PACKAGE_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class AuditResult:
    """What the audit found; it passed when there is no fault.

    Attributes:
        data: the audited `DataSpec` as a dictionary.
        faults: what stops the run, a line each.
        warnings: what a person should know, a line each.
        notes: what loading did to the pictures.
        splits: by split: count, shape, dtype, value range, class counts, constant pictures, hash.
        duplicates: by pair of splits: exact and near duplicates, counts and examples.
        seconds: duration, loading included.
    """

    data: dict[str, Any]
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    splits: dict[str, dict[str, Any]]
    duplicates: list[dict[str, Any]]
    seconds: float
    format_version: int = FORMAT_VERSION

    @property
    def passed(self) -> bool:
        return not self.faults

    @property
    def hashes(self) -> dict[str, str]:
        """SHA-256 of each split; empty when the splits could not be loaded."""
        return {name: figures["sha256"] for name, figures in self.splits.items()}

    @classmethod
    def read(cls, path: Path) -> "AuditResult":
        """Read what the audit's process wrote."""
        values = json.loads(path.read_text())
        lines = {name: tuple(values[name]) for name in ("faults", "warnings", "notes")}
        return cls(**(values | lines))

    def write(self, path: Path) -> None:
        """Write as JSON, whole or not at all."""
        write_text(path, json.dumps(asdict(self), indent=2, allow_nan=False) + "\n")


def audit(spec: DataSpec) -> AuditResult:
    """Load all three splits and check them; faults are returned, not raised."""
    from trainables.data.audit_checks import check_splits
    from trainables.data.load import load_for_audit

    start = time.perf_counter()
    try:
        parts, notes = load_for_audit(spec)
    except UserError as error:
        found: dict[str, Any] = {"faults": error.faults, "splits": {}, "duplicates": []}
    else:
        found = {"notes": notes, **vars(check_splits(parts))}
    return AuditResult(data=spec.to_dict(), seconds=round(time.perf_counter() - start, 2), **found)


def run_audit(spec: DataSpec, out_path: Path, run_dir: Path | None = None) -> AuditResult:
    """Audit `spec` in a process of its own and read its verdict.

    Args:
        spec: the data to audit.
        out_path: where the result is written as JSON; its folder exists.
        run_dir: a run's folder; its journal gets `test_audited` with the hashes of the splits.

    Raises:
        UserError: with all faults, when the audit failed; `out_path` holds them too.
    """
    out_path.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        spec_path = Path(scratch) / "spec.json"
        spec_path.write_text(json.dumps(spec.to_dict()))
        command = [sys.executable, "-m", "trainables.data.audit", "--quiet"]
        command += ["--spec", str(spec_path), "--out", str(out_path)]
        status = subprocess.run(command, env=_environment(), check=False).returncode
    if not out_path.exists():
        raise UserError(
            f"the audit of {spec.source} ended with status {status} and no result; allowed: 0 or "
            "2; what it printed is above, and -9 means that the memory did not suffice"
        )
    result = AuditResult.read(out_path)
    if run_dir is not None:
        journal.append(
            run_dir / JOURNAL, "test_audited", passed=result.passed, hashes=result.hashes
        )
    refuse(result.faults)
    return result


def main(arguments: Sequence[str]) -> int:
    """Write the audit's result; status 0 when it passed, 2 when not."""
    parser = Parser("trainables.data.audit", __doc__)
    parser.add_argument("--spec", type=Path, required=True, help="a DataSpec as JSON")
    parser.add_argument("--out", type=Path, required=True, help="where the result is written")
    parser.add_argument("--quiet", action="store_true", help="leave the faults to the result")
    options = parser.parse_args(arguments)
    try:
        spec = DataSpec.from_dict(json.loads(options.spec.read_text()))
    except (OSError, ValueError, UserError) as error:
        raise UserError(
            f"--spec {options.spec} cannot be read ({error}); allowed: a DataSpec as JSON, such as "
            '{"source": "synthetic"}'
        ) from error
    result = audit(spec)
    result.write(options.out)
    if not options.quiet:
        refuse(result.faults)
    return 0 if result.passed else 2


def _environment() -> dict[str, str]:
    """This process's environment, in which the child finds the same `trainables`."""
    paths = [str(PACKAGE_ROOT), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


if __name__ == "__main__":
    sys.exit(run_main(main))

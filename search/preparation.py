"""Before the first trial: the checks that cost time, the audit, the pictures, the run folder."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from search.run_folder import RunFolder, write_bytes
from search.settings import Settings
from trainables import journal
from trainables.config import FineTuneConfig
from trainables.data.audit import run_audit
from trainables.data.load import fingerprint, load_training
from trainables.data.sources import check_source
from trainables.errors import UserError, refuse
from trainables.two_phase import TrialData
from trainables.weights import load_backbone_state


@dataclass(frozen=True, kw_only=True)
class PreparedData:
    """The pictures of a run and the hash that names them."""

    pictures: TrialData
    fingerprint: str


def prepare(settings: Settings, folder: RunFolder, base: FineTuneConfig) -> PreparedData:
    """Check source and weights, audit, load; a new run's folder is made when all has passed.

    Raises:
        UserError: with the faults; a new run leaves nothing behind.
    """
    spec = settings.data_spec
    refuse(check_source(spec))
    load_backbone_state(base.backbone, base.weights)
    if not settings.resume:
        _audit_into(folder, settings)
    loaded = load_training(spec)
    for note in loaded.notes:
        print(f"note         {note}")
    data = PreparedData(
        pictures=TrialData(train=loaded.train, val=loaded.val, data_seed=spec.seed),
        fingerprint=f"train {fingerprint(loaded.train)} val {fingerprint(loaded.val)}",
    )
    if settings.resume:
        expected = folder.read_experiment()["data_fingerprint"]
        if data.fingerprint != expected:
            raise UserError(
                f"--data {settings.data} has fingerprint {data.fingerprint}; allowed when "
                f"resuming: {expected}; restore the pictures or start a new run"
            )
    return data


def _audit_into(folder: RunFolder, settings: Settings) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        result = run_audit(settings.data_spec, Path(scratch) / "audit.json")
        folder.root.mkdir(parents=True)
        write_bytes(folder.audit, (Path(scratch) / "audit.json").read_bytes())
    # The audit reads the test split in a process of its own; here only its hash is known.
    journal.append(folder.journal, "test_audited", hashes=result.hashes)
    splits = ", ".join(f"{figures['count']} {name}" for name, figures in result.splits.items())
    print(
        f"audit        passed: {splits} pictures, {len(result.warnings)} warnings"
        " (examples in audit.json)"
    )
    for warning in result.warnings:
        print(f"             {warning.partition(' (')[0]}")

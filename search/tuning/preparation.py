"""Before the first trial: the checks that cost time, the audit, the pictures, the run folder."""

import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from search.records.environment import describe_environment
from search.records.folder import RunFolder
from search.settings.checks import kind_faults
from search.settings.settings import Settings
from search.tuning.warm_start import warm_start
from spaces.registry import load_space
from trainables.config import FineTuneConfig, pair_faults
from trainables.data.audit import run_audit
from trainables.data.load import fingerprint, load_training
from trainables.data.sources import check_source
from trainables.errors import UserError, refuse
from trainables.models.weights import told_origin, weights_record
from trainables.storage import journal
from trainables.storage.files import write_bytes, write_json
from trainables.storage.layout import FORMAT_VERSION
from trainables.training.pictures import TrialData


@dataclass(frozen=True, kw_only=True)
class PreparedData:
    """The pictures of a run and the hash that names them."""

    pictures: TrialData
    fingerprint: str


class DesignRecord(Protocol):
    """What is trained instead of what a sampler proposes: the design of `search.interventions`."""

    @property
    def pair(self) -> tuple[str, str]:
        """The two classes whose confusion the arms are to cure."""

    @property
    def placebo(self) -> tuple[str, str]:
        """The two classes that the placebo aims at."""

    def to_dict(self) -> dict[str, Any]:
        """For experiment.json."""


def begin(
    settings: Settings, folder: RunFolder, base: FineTuneConfig, design: DesignRecord | None = None
) -> PreparedData:
    """Check source and weights, audit, load; the run's folder is made when all has passed.

    Args:
        settings: of the run.
        folder: to make.
        base: the configuration that the space starts from.
        design: what is trained instead of what a sampler proposes, with --around.

    Raises:
        UserError: with the faults; nothing is left behind.
    """
    refuse(check_source(settings.data_spec))
    weights = weights_record(base.backbone, base.weights)
    with tempfile.TemporaryDirectory() as scratch:
        # The audit reads the test split in a process of its own; here only its hash is known.
        audit = run_audit(settings.data_spec, Path(scratch) / "audit.json")
        audit_json = (Path(scratch) / "audit.json").read_bytes()
    data = _load(settings)
    class_names = data.pictures.train.class_names
    refuse(kind_faults(settings, class_names))
    if design:
        refuse(f"--aim: {fault}" for fault in pair_faults(design.pair, class_names))
        refuse(f"the placebo: {fault}" for fault in pair_faults(design.placebo, class_names))
    start = None
    if settings.warm_start:
        space = load_space(settings.space)
        start = warm_start(
            settings.warm_start, space, base, data.fingerprint, weights_id=weights["id"]
        )
    with folder.made_whole() as made:
        write_json(
            made.experiment,
            {
                "format_version": FORMAT_VERSION,
                "name": folder.root.name,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "settings": settings.to_dict() | {"name": folder.root.name},
                "space": settings.space,
                "seed": settings.seed,
                "data": settings.data_spec.to_dict(),
                "data_fingerprint": data.fingerprint,
                "test_hash": audit.hashes["test"],
                "class_names": list(class_names),
                "base_config": base.to_dict(),
                "weights": weights,
                **({"interventions": design.to_dict()} if design else {}),
                **describe_environment(),
            },
        )
        write_bytes(made.audit, audit_json)
        journal.append(made.journal, "test_audited", hashes=audit.hashes)
        if start:
            journal.append(
                made.journal,
                "warm_started",
                source=settings.warm_start,
                points=[point.to_dict() for point in start.points],
                first=start.first,
            )
    splits = ", ".join(f"{figures['count']} {name}" for name, figures in audit.splits.items())
    print(
        f"audit        passed: {splits} pictures, {len(audit.warnings)} warnings"
        " (examples in audit.json)"
    )
    if origin := told_origin(weights):
        print(f"weights      {origin}")
    for warning in audit.warnings:
        print(f"             {warning.partition(' (')[0]}")
    if start:
        print(f"warm start   {start.note}")
    return data


def continue_with(settings: Settings, folder: RunFolder) -> PreparedData:
    """The pictures of a run that exists; UserError when they are not the same any more."""
    refuse(check_source(settings.data_spec))
    data = _load(settings)
    expected = folder.read_experiment()["data_fingerprint"]
    if data.fingerprint != expected:
        raise UserError(
            f"--data {settings.data} has fingerprint {data.fingerprint}; allowed: that of the run, "
            f"{expected}; restore the pictures or start a new run"
        )
    return data


def fresh_pictures(settings: Settings, seed: int) -> TrialData:
    """A new split of the run's training pool, and new epoch views."""
    loaded = load_training(replace(settings.data_spec, seed=seed))
    return TrialData(train=loaded.train, val=loaded.val, data_seed=seed)


def _load(settings: Settings) -> PreparedData:
    spec = settings.data_spec
    loaded = load_training(spec)
    for note in loaded.notes:
        print(f"note         {note}")
    return PreparedData(
        pictures=TrialData(train=loaded.train, val=loaded.val, data_seed=spec.seed),
        fingerprint=f"train {fingerprint(loaded.train)} val {fingerprint(loaded.val)}",
    )

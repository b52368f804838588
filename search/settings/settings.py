"""One run's settings: what the command line, the run folder and the search agree on."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any, cast

from search.records.disk import parse_bytes
from search.settings.groups import (
    GPUS_AUTO,
    DataSettings,
    InterventionSettings,
    ModelSettings,
    ResourceSettings,
    RunSettings,
    SearchSettings,
    flag_of,
)
from trainables.classes import listed
from trainables.config import BOUNDS as TRIAL_BOUNDS
from trainables.config import CHOICES, FineTuneConfig
from trainables.data.sources import default_organic
from trainables.data.spec import DataSpec
from trainables.errors import UserError, refuse
from trainables.models.weight_paths import absolute
from trainables.models.weights import check_weights
from trainables.storage.store import is_uri
from trainables.training.reuse import MODES as REUSE_MODES
from trainables.training.reuse import Mode, Reuse

PRECISIONS = ("auto", *CHOICES["precision"])
POSITIVE = ("num_trials", "grace_epochs", "workers_per_trial")


@dataclass(frozen=True, kw_only=True)
class Settings(
    RunSettings, DataSettings, ModelSettings, SearchSettings, InterventionSettings, ResourceSettings
):
    """The settings of a search; raises UserError with all faults at once."""

    def __post_init__(self) -> None:
        # Workers run in other folders than the one where a path was typed.
        object.__setattr__(self, "weights", absolute(self.weights))
        refuse(self._faults())

    @property
    def data_spec(self) -> DataSpec:
        return DataSpec(
            source=self.data,
            train_size=self.train_size,
            val_size=self.val_size,
            seed=self.seed,
            base_px=self.base_px,
            held_out=self.held_out,
        )

    def base_config(self, *, precision: str) -> FineTuneConfig:
        """The configuration that a space starts from: the run's settings, the rest by default."""
        return FineTuneConfig(
            backbone=self.backbone,
            weights=self.weights,
            resolution_px=self.resolution,
            head_epochs=self.head_epochs,
            finetune_epochs=self.finetune_epochs,
            batch_size=self.batch_size,
            organic=self.organic or ",".join(default_organic(self.data_spec)),
            precision=precision,
            seed=self.seed,
        )

    @property
    def quota_bytes(self) -> int:
        """What the run folder may occupy; 0: no limit."""
        return parse_bytes(self.disk_quota) if self.disk_quota else 0

    @property
    def reuse_with(self) -> Reuse:
        return Reuse(cast(Mode, self.reuse), parse_bytes(self.reuse_limit))

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able dictionary; `Settings(**...)` is its inverse."""
        return asdict(self)

    def _faults(self) -> Iterator[str]:
        if self.preset not in PRESETS:
            yield f"--preset is {self.preset!r}; allowed: {', '.join(PRESETS)}"
        if self.precision not in PRECISIONS:
            yield f"--precision is {self.precision!r}; allowed: {', '.join(PRECISIONS)}"
        if self.backbone in CHOICES["backbone"]:
            yield from (f"--{fault}" for fault in check_weights(self.backbone, self.weights))
        else:
            yield f"--backbone is {self.backbone!r}; allowed: {', '.join(CHOICES['backbone'])}"
        try:
            assert self.data_spec
        except UserError as error:
            yield from (f"--data: {fault}" for fault in error.faults)
        for flag, name in (
            ("resolution", "resolution_px"),
            ("head_epochs", "head_epochs"),
            ("finetune_epochs", "finetune_epochs"),
            ("batch_size", "batch_size"),
        ):
            low, high = TRIAL_BOUNDS[name]
            if not low <= getattr(self, flag) <= high:
                yield f"{flag_of(flag)} is {getattr(self, flag)}; allowed: {low} to {high}"
        both = sorted({*listed(self.organic)} & {*listed(self.rigid)})
        yield from (f"{name!r} is in --organic and in --rigid; allowed: one" for name in both)
        for flag in POSITIVE:
            if getattr(self, flag) < 1:
                yield f"{flag_of(flag)} is {getattr(self, flag)}; allowed: 1 or more"
        if not 0 <= self.late_bloomers <= 1:
            yield f"--late-bloomers is {self.late_bloomers}; allowed: a share from 0 to 1"
        for flag, text in (("--disk-quota", self.disk_quota), ("--reuse-limit", self.reuse_limit)):
            try:
                assert parse_bytes(text or "0") >= 0
            except UserError as error:
                yield from (f"{flag}: {fault}" for fault in error.faults)
        if self.disk_quota and is_uri(self.storage):
            yield (
                f"--disk-quota came with --storage {self.storage}; allowed: a quota of a folder; a "
                "bucket does not fill up, and a run keeps few checkpoints"
            )
        if self.reuse not in REUSE_MODES:
            yield f"--reuse is {self.reuse!r}; allowed: {', '.join(REUSE_MODES)}"
        for flag in ("max_concurrent", "max_hours", "reserve_trials", "seed", "wait_for_gpu"):
            if not getattr(self, flag) >= 0:  # NaN is not
                yield f"{flag_of(flag)} is {getattr(self, flag)}; allowed: 0 or more"
        if not self.gpus_per_trial >= 0 and self.gpus_per_trial != GPUS_AUTO:
            yield f"--gpus-per-trial is {self.gpus_per_trial}; allowed: 0 or more, or auto"
        if not self.cpus_per_trial > 0:
            yield f"--cpus-per-trial is {self.cpus_per_trial}; allowed: more than 0"
        if not self.reduction_factor > 1:
            yield f"--reduction-factor is {self.reduction_factor}; allowed: more than 1"
        if 0 < self.finetune_epochs < self.grace_epochs:
            yield (
                f"--grace-epochs is {self.grace_epochs}, and --finetune-epochs is "
                f"{self.finetune_epochs}; allowed: up to that, which stops no trial early"
            )
        if self.batch_size % max(self.workers_per_trial, 1):
            yield (
                f"--batch-size {self.batch_size} does not divide among --workers-per-trial "
                f"{self.workers_per_trial}; allowed: a multiple of it"
            )
        if self.train_size < self.batch_size:
            yield (
                f"--train-size {self.train_size} is less than --batch-size {self.batch_size}; "
                "allowed: one batch or more; lower --batch-size"
            )
        yield from self._faults_of_around()
        if self.resume and not self.name:
            yield "--resume came without a run; allowed: --resume --name NAME of an existing run"
        if "/" in self.name or self.name.startswith("."):
            yield f"--name is {self.name!r}; allowed: one folder name; use --storage for its place"

    def _faults_of_around(self) -> Iterator[str]:
        if not 2 <= self.seeds <= 100:
            yield f"--seeds is {self.seeds}; allowed: 2 to 100; two are the fewest with a scatter"
        if not self.around:
            for flag in ("aim", "arms"):
                if getattr(self, flag):
                    yield f"--{flag} came without a run; allowed: --{flag} with --around RUN"
            return
        if self.space != "interventions":
            yield f"--around came with --space {self.space}; allowed: --space interventions"
        names = [name.strip() for name in self.aim.split(",")]
        if self.aim and not (len(names) == 2 and all(names) and names[0] != names[1]):
            yield f"--aim is {self.aim!r}; allowed: two different classes, such as cat,dog"
        for flag in ("warm_start", "max_hours", "late_bloomers"):
            if getattr(self, flag):
                yield (
                    f"{flag_of(flag)} came with --around; allowed: one of the two; every arm is "
                    "trained, and to its end"
                )


PRESETS: dict[str, dict[str, Any]] = {
    # Minutes on two cores with nothing but what the repository holds.
    "demo": {
        "space": "core",
        "data": "synthetic",
        "train_size": 2_000,
        "val_size": 500,
        "resolution": 32,
        "head_epochs": 2,
        "finetune_epochs": 4,
        "batch_size": 64,
        "num_trials": 9,
        "diagnose": False,  # `make demo` writes its report anyway
    },
    # An hour on two cores with real pictures.
    "laptop": {},
    # ImageNet weights at their own resolution: wants GPUs.
    "cluster": {
        "weights": "imagenet",
        "backbone": "resnet50",
        "resolution": 224,
        "head_epochs": 10,
        "finetune_epochs": 10,
        "batch_size": 128,
        "num_trials": 64,
        "grace_epochs": 2,
        "cpus_per_trial": 2.0,
        "gpus_per_trial": 1.0,
    },
}


def preset_settings(preset: str) -> dict[str, Any]:
    """The defaults of a preset, of every setting; UserError for an unknown one."""
    if preset not in PRESETS:
        raise UserError(f"--preset is {preset!r}; allowed: {', '.join(PRESETS)}")
    defaults = {field.name: field.default for field in fields(Settings)}
    return {**defaults, "preset": preset, **PRESETS[preset]}

"""One run's settings: what the command line, the run folder and the search agree on."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, cast

from tyro.constructors import PrimitiveConstructorSpec

from search.disk import parse_bytes
from trainables.config import BOUNDS as TRIAL_BOUNDS
from trainables.config import CHOICES, FineTuneConfig
from trainables.data.spec import DataSpec
from trainables.errors import UserError, refuse
from trainables.reuse import MODES as REUSE_MODES
from trainables.reuse import Mode, Reuse
from trainables.weights import check_weights

PRECISIONS = ("auto", *CHOICES["precision"])
POSITIVE = ("num_trials", "grace_epochs", "workers_per_trial")


GPUS_AUTO = -1.0  # a share that a probe of the GPU's memory decides
_GPU_SHARE = PrimitiveConstructorSpec[float](
    nargs=1,
    metavar="FLOAT|auto",
    instance_from_str=lambda words: GPUS_AUTO if words[0] == "auto" else float(words[0]),
    is_instance=lambda value: isinstance(value, float),
    str_from_instance=lambda value: ["auto" if value == GPUS_AUTO else f"{value:g}"],
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a search; raises UserError with all faults at once."""

    preset: str = "laptop"
    """where the defaults come from: demo (minutes, embedded data), laptop (an hour), cluster"""
    space: str = "full"
    """search space: core, full, interpolation, backbone, decks, interventions, or your own"""
    data: str = "cifar10"
    """pictures: cifar10[:DIR] (downloads), imagefolder:DIR, parquet:DIR, synthetic"""
    weights: str = "embedded"
    """backbone weights: imagenet, imagenet-v1, imagenet-v2, embedded, none, or a file"""
    backbone: str = "resnet18"
    """resnet18, resnet34, resnet50 or resnet101"""
    train_size: int = 10_000
    """training pictures, a stratified sample"""
    val_size: int = 2_000
    """validation pictures, on which trials are compared"""
    resolution: int = 64
    """side of the pictures that the network sees, in px"""
    head_epochs: int = 3
    """epochs of phase 1 (frozen backbone)"""
    finetune_epochs: int = 9
    """epochs of phase 2 (partly unfrozen)"""
    batch_size: int = 128
    """pictures an optimiser step, over all workers of a trial"""
    precision: str = "auto"
    """float32, bf16, or auto: bf16 where the processor has it"""
    num_trials: int = 16
    """configurations to try"""
    grace_epochs: int = 1
    """phase-2 epochs before ASHA may stop a trial"""
    reduction_factor: float = 3.0
    """ASHA's eta: about 1 in eta goes on past a rung"""
    max_concurrent: int = 0
    """most trials at a time; 0: as many as the cluster holds, while it grows and shrinks"""
    address: str = ""
    """cluster to run on: HOST:PORT, auto (the one with a node on this machine) or local (starts one
    here); default: RAY_ADDRESS, else auto, else local"""
    wait_for_gpu: float = 20.0
    """minutes to wait until a node of the cluster can hold a trial"""
    cpus_per_trial: float = 1.0
    """cores a worker"""
    gpus_per_trial: Annotated[float, _GPU_SHARE] = 0.0
    """GPUs a worker; a fraction shares a GPU among trials, auto: as many as its memory holds"""
    workers_per_trial: int = 1
    """data-parallel workers a trial"""
    seed: int = 0
    """of everything: data split, views, sampler, heads, batches"""
    late_bloomers: float = 0.0
    """share of the trials that ASHA would stop which run on, to measure what stopping costs"""
    warm_start: str = ""
    """begin with the results of another run (its folder), or with the decks' recipes (decks)"""
    around: str = ""
    """test interventions on the winner of this run (its folder), with --space interventions; data,
    weights, resolution and epochs are that run's unless given"""
    aim: str = ""
    """with --around: the two classes to tell apart, such as cat,dog; default: the pair that RUN's
    report flags first, or its winner confuses most"""
    arms: str = ""
    """with --around: the interventions to test, such as hard_mining,cutmix; default: all"""
    seeds: int = 3
    """with --around: fresh seeds for each arm; arms x seeds are trained instead of --num-trials"""
    max_hours: float = 0.0
    """halt the search so that confirm and report still fit in this many hours; 0: no limit"""
    reserve_trials: int = 9
    """trials of search.confirm that --max-hours keeps time for"""
    disk_quota: str = ""
    """what the run folder may occupy, such as 5GB; default: no limit"""
    reuse: str = "auto"
    """what trials on a node share (no number changes): off, head (epoch views, phase 1's features),
    trunk (also what lies below the unfreeze point), auto (trunk where that is small)"""
    reuse_limit: str = "8GB"
    """disk, on each node, for what trials share"""
    diagnose: bool = True
    """write the report at the end where the winner's validation macro-F1 is not clear of 65 %"""
    name: str = ""
    """the run's name; default: the preset's, with a number when taken"""
    storage: str = "runs"
    """folder of the runs"""
    resume: bool = False
    """go on with the run --name where it was cut short"""
    dry_run: bool = False
    """print what would be done, and stop"""

    def __post_init__(self) -> None:
        refuse(self._faults())

    @property
    def data_spec(self) -> DataSpec:
        return DataSpec(
            source=self.data, train_size=self.train_size, val_size=self.val_size, seed=self.seed
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
                yield f"{_flag(flag)} is {getattr(self, flag)}; allowed: {low} to {high}"
        for flag in POSITIVE:
            if getattr(self, flag) < 1:
                yield f"{_flag(flag)} is {getattr(self, flag)}; allowed: 1 or more"
        if not 0 <= self.late_bloomers <= 1:
            yield f"--late-bloomers is {self.late_bloomers}; allowed: a share from 0 to 1"
        for flag, text in (("--disk-quota", self.disk_quota), ("--reuse-limit", self.reuse_limit)):
            try:
                assert parse_bytes(text or "0") >= 0
            except UserError as error:
                yield from (f"{flag}: {fault}" for fault in error.faults)
        if self.reuse not in REUSE_MODES:
            yield f"--reuse is {self.reuse!r}; allowed: {', '.join(REUSE_MODES)}"
        for flag in ("max_concurrent", "max_hours", "reserve_trials", "seed", "wait_for_gpu"):
            if getattr(self, flag) < 0:
                yield f"{_flag(flag)} is {getattr(self, flag)}; allowed: 0 or more"
        if self.gpus_per_trial < 0 and self.gpus_per_trial != GPUS_AUTO:
            yield f"--gpus-per-trial is {self.gpus_per_trial}; allowed: 0 or more, or auto"
        if self.cpus_per_trial <= 0:
            yield f"--cpus-per-trial is {self.cpus_per_trial}; allowed: more than 0"
        if self.reduction_factor <= 1:
            yield f"--reduction-factor is {self.reduction_factor}; allowed: more than 1"
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
                    f"{_flag(flag)} came with --around; allowed: one of the two; every arm is "
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


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")

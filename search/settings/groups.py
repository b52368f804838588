"""The settings of a run, each declared once, in the groups that --help and --dry-run show.

The name of a field is the name of its flag and of its key in a settings file. What lies below it is
its help: the unit or the allowed values first.
"""

from dataclasses import dataclass
from typing import Annotated

import tyro
from tyro.constructors import PrimitiveConstructorSpec

GPUS_AUTO = -1.0  # a share that a probe of the GPU's memory decides
_GpuShare = Annotated[
    float,
    PrimitiveConstructorSpec[float](
        nargs=1,
        metavar="FLOAT|auto",
        instance_from_str=lambda words: GPUS_AUTO if words[0] == "auto" else float(words[0]),
        is_instance=lambda value: isinstance(value, float),
        str_from_instance=lambda value: ["auto" if value == GPUS_AUTO else f"{value:g}"],
    ),
]
# What needs no "(default: ...)": an empty text, a switch that is off.
Text = Annotated[str, tyro.conf.arg(help_behavior_hint="")]
Switch = Annotated[bool, tyro.conf.arg(help_behavior_hint=""), tyro.conf.FlagCreatePairsOff]


def flag_of(name: str) -> str:
    """The flag of a setting."""
    return "--" + name.replace("_", "-")


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Which run, and where"""

    preset: str = "laptop"
    """defaults: demo (minutes, embedded data), laptop (an hour), cluster (GPUs)"""
    name: Text = ""
    """of the run; default: the preset's, with a number when taken"""
    storage: str = "runs"
    """folder of the runs, which every node can write, or s3://BUCKET/PREFIX"""
    seed: int = 0
    """of everything: data split, views, sampler, heads, batches"""
    resume: Switch = False
    """go on with the run --name where it was cut short"""
    diagnose: bool = True
    """write the report at the end where macro-F1 is not clear of 65 %"""
    dry_run: Switch = False
    """say what would be done, and stop"""


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """The pictures"""

    data: str = "cifar10"
    """cifar10[:DIR] (downloads), imagefolder:DIR, parquet:DIR, synthetic"""
    train_size: int = 10_000
    """training pictures, a stratified sample"""
    val_size: int = 2_000
    """validation pictures, on which trials are compared"""
    organic: Text = ""
    """classes that bend, such as cat,dog: turned further (adaptive), weigh more (deformable);
    default: CIFAR-10's where the classes are CIFAR-10's, else none"""
    rigid: Text = ""
    """classes that the report holds against them; default: all the others"""
    base_px: int = 32
    """px, the side of the stored pictures; others are cropped square and resized to it once"""
    held_out: float = 0.0
    """share of each class sealed as the test, of an image folder without one"""


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """What every trial trains, and for how long"""

    backbone: str = "resnet18"
    """resnet18, resnet34, resnet50, resnet101"""
    weights: str = "embedded"
    """imagenet, imagenet-v1, imagenet-v2, embedded, none, FILE or FILE#PLACE"""
    resolution: int = 64
    """px, the side of the pictures that the network sees"""
    head_epochs: int = 3
    """epochs of phase 1 (frozen backbone)"""
    finetune_epochs: int = 9
    """epochs of phase 2 (partly unfrozen)"""
    batch_size: int = 32
    """pictures an optimiser step, over all workers of a trial"""
    precision: str = "auto"
    """float32, bf16, or auto: bf16 where the processor has it"""


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """The search: Optuna proposes, ASHA stops the weak"""

    space: str = "full"
    """core, full, interpolation, backbone, decks, interventions, or module:function"""
    num_trials: int = 16
    """configurations to try"""
    grace_epochs: int = 1
    """phase-2 epochs before ASHA may stop a trial"""
    reduction_factor: float = 3.0
    """ASHA's eta: about 1 in eta goes on past a rung"""
    late_bloomers: float = 0.0
    """share, 0 to 1, of the trials to be stopped that run on: measures what stopping costs"""
    warm_start: Text = ""
    """RUN: begin with its results; decks: with the decks' recipes"""


@dataclass(frozen=True, kw_only=True)
class InterventionSettings:
    """Interventions on a winner, instead of a search"""

    around: Text = ""
    """RUN whose winner is the baseline, with --space interventions; takes over its settings"""
    aim: Text = ""
    """the two classes to tell apart, such as cat,dog; default: what RUN confuses most"""
    arms: Text = ""
    """interventions, such as hard_mining,cutmix; default: all"""
    seeds: int = 3
    """fresh seeds for each arm; arms x seeds are trained instead of --num-trials"""


@dataclass(frozen=True, kw_only=True)
class ResourceSettings:
    """What trials occupy, and the limits of the run"""

    max_concurrent: int = 0
    """most trials at a time; 0: as many as the cluster holds, as it grows and shrinks"""
    address: Text = ""
    """HOST:PORT of a cluster, auto (one on this machine) or local (starts one here);
    default: RAY_ADDRESS, else auto, else local"""
    wait_for_gpu: float = 20.0
    """minutes to wait until a node of the cluster can hold a trial"""
    cpus_per_trial: float = 1.0
    """cores a worker"""
    gpus_per_trial: _GpuShare = 0.0
    """GPUs a worker; a fraction shares a GPU; auto: as many trials as fit"""
    workers_per_trial: int = 1
    """data-parallel workers a trial"""
    max_hours: float = 0.0
    """hours; halts so that confirm and report still fit in; 0: no limit"""
    reserve_trials: int = 9
    """trials of confirm that --max-hours keeps time for"""
    disk_quota: Text = ""
    """what the run folder may occupy, such as 5GB; default: no limit"""
    reuse: str = "auto"
    """what trials on a node share, no number changes: off, head, trunk, auto"""
    reuse_limit: str = "8GB"
    """disk, on each node, for what trials share"""


GROUPS = (
    RunSettings,
    DataSettings,
    ModelSettings,
    SearchSettings,
    InterventionSettings,
    ResourceSettings,
)

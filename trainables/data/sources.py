"""The register of sources: from the text "name[:argument]" to a `Source`."""

from pathlib import Path

from trainables.classes import CIFAR10_CLASSES, ORGANIC
from trainables.data.pool import Pool, Source
from trainables.data.spec import DataSpec
from trainables.errors import UserError

SYNTHETIC_TEST_SIZE = 2_000
# Data seeds end below 2**31 (`DataSpec`), so no training draw ever uses a test seed.
SYNTHETIC_TEST_SEED_OFFSET = 2**31


class SyntheticSource:
    """Drawn pictures: a training pool of exactly train_size + val_size, a test of 2,000."""

    def __init__(self, spec: DataSpec) -> None:
        self.spec = spec

    def check(self) -> tuple[str, ...]:
        """Nothing can be absent: the pictures are computed."""
        return ()

    def training_pool(self) -> Pool:
        """Pictures drawn with the data seed."""
        return _drawn(self.spec.train_size + self.spec.val_size, seed=self.spec.seed)

    def training_classes(self) -> tuple[str, ...]:
        """All ten: every ten pictures that are drawn hold each class once."""
        return CIFAR10_CLASSES

    def sealed_test(self) -> Pool:
        """Pictures drawn with a seed that no training pool can have."""
        return _drawn(SYNTHETIC_TEST_SIZE, seed=self.spec.seed + SYNTHETIC_TEST_SEED_OFFSET)


def open_source(spec: DataSpec) -> Source:
    """The source that `spec` names; only its own libraries are imported."""
    folder = Path(spec.source_argument).expanduser() if spec.source_argument else None
    match spec.source_name, folder:
        case "cifar10", _:
            from trainables.data.cifar10 import Cifar10Source

            return Cifar10Source(folder)
        case "imagefolder", Path():
            from trainables.data.imagefolder import ImageFolderSource

            return ImageFolderSource(folder, spec.held_out)
        case "parquet", Path():
            from trainables.data.parquet import ParquetSource

            return ParquetSource(folder)
        case "synthetic", None:
            return SyntheticSource(spec)
    raise AssertionError(f"DataSpec let {spec.source!r} pass")


def default_organic(spec: DataSpec) -> tuple[str, ...]:
    """CIFAR-10's organic classes where the source's classes are CIFAR-10's ten; else none.

    None too where the source cannot be read: `check_source` says why.
    """
    if spec.source_name in ("cifar10", "synthetic"):
        return ORGANIC
    try:
        names = set(open_source(spec).training_classes())
    except UserError:
        return ()
    return ORGANIC if names == set(CIFAR10_CLASSES) else ()


def check_source(spec: DataSpec) -> tuple[str, ...]:
    """The faults of the source that are found cheaply, before any picture is read."""
    return open_source(spec).check()


def _drawn(count: int, *, seed: int) -> Pool:
    from trainables.data.synthetic.source import draw

    drawn = draw(count, seed=seed)
    return Pool(
        pictures=drawn.images,
        labels=[CIFAR10_CLASSES[label] for label in drawn.labels],
        places=[f"synthetic picture {index} of seed {seed}" for index in range(count)],
    )

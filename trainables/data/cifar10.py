"""CIFAR-10 through torchvision's own loader and its checksums."""

import os
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from torchvision.datasets import CIFAR10
from torchvision.datasets.utils import check_integrity

from trainables.data.pool import Pool
from trainables.errors import UserError, refuse

SERVER_TIMEOUT_SECONDS = 5.0


def default_root() -> Path:
    """Where the archive is kept when no folder is named.

    torchvision has no default for data sets (TORCH_HOME is for weights), so it is the user's cache.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return cache / "two-phase-search" / "cifar10"


class Cifar10Source:
    """The 50,000 training and 10,000 test pictures of 32x32 px, downloaded on first use.

    Args:
        root: folder with the archive or the extracted `cifar-10-batches-py`, or that folder itself.
    """

    def __init__(self, root: Path | None = None) -> None:
        root = root or default_root()
        self.root = root.parent if root.name == CIFAR10.base_folder else root

    def check(self) -> tuple[str, ...]:
        """Faults when the files are absent or damaged and the server does not answer."""
        damage = self._damaged_files()
        if not damage or self._archive_is_whole():
            return ()
        refusal = _server_refusal(CIFAR10.url)
        if refusal is None:
            return ()
        return (
            f"CIFAR-10 is not in {self.root / CIFAR10.base_folder} ({', '.join(damage)}), "
            f"{self.root / CIFAR10.filename} is absent or damaged, and {CIFAR10.url} cannot be "
            f"reached ({refusal}); allowed: cifar10:DIR with a folder that holds the archive or "
            f"{CIFAR10.base_folder}, parquet:DIR, imagefolder:DIR or synthetic; choose one of "
            "these or connect to the network",
        )

    def training_pool(self) -> Pool:
        """The 50,000 training pictures; of the test file only the checksum is computed."""
        return self._pool(train=True)

    def training_classes(self) -> set[str]:
        """The classes of the training pool."""
        return set(self.training_pool().labels)

    def sealed_test(self) -> Pool:
        """The 10,000 test pictures."""
        return self._pool(train=False)

    def _pool(self, *, train: bool) -> Pool:
        refuse(self.check())
        try:
            dataset = CIFAR10(self.root, train=train, download=True)
        except (OSError, RuntimeError) as error:
            raise UserError(
                f"CIFAR-10 in {self.root} cannot be loaded ({error}); allowed: the files of "
                f"{CIFAR10.url} with their published MD5; delete {self.root} and try again, or "
                "use parquet:DIR, imagefolder:DIR or synthetic"
            ) from error
        split = "training" if train else "test"
        return Pool(
            pictures=dataset.data,
            labels=[dataset.classes[target] for target in dataset.targets],
            places=[f"CIFAR-10 {split} picture {index}" for index in range(len(dataset))],
        )

    def _damaged_files(self) -> list[str]:
        folder = self.root / CIFAR10.base_folder
        if not folder.is_dir():
            return ["no such folder"]
        checksums = [*CIFAR10.train_list, *CIFAR10.test_list]
        checksums.append([CIFAR10.meta["filename"], CIFAR10.meta["md5"]])
        return [
            f"{name} has the wrong MD5" if (folder / name).exists() else f"no {name}"
            for name, md5 in checksums
            if not check_integrity(folder / name, md5)
        ]

    def _archive_is_whole(self) -> bool:
        return check_integrity(self.root / CIFAR10.filename, CIFAR10.tgz_md5)


def _server_refusal(url: str) -> str | None:
    """Why the server cannot be asked, or None when it answers.

    torchvision's own download waits without limit; this question is asked first and does not.
    """
    try:
        with urlopen(Request(url, method="HEAD"), timeout=SERVER_TIMEOUT_SECONDS):
            return None
    except (URLError, OSError) as error:
        return str(getattr(error, "reason", error))

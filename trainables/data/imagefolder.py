"""A folder of pictures, one folder a class: DIR/train/CLASS/*.png and DIR/test/CLASS/*.png.

Where there is no DIR/test, a share of each class of DIR/train can be held out as the test. Which
pictures are depends on the share, the class's name and its number of pictures alone. The run's
seed has no part in it: no run, confirmation or cure ever trains on the test of another.
"""

import os
import zlib
from pathlib import Path

import numpy as np

from trainables.data.pool import Pool
from trainables.errors import refuse

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


class ImageFolderSource:
    """Pictures by folder, as torchvision's ImageFolder lays them out.

    Args:
        root: DIR.
        held_out: share of each class of DIR/train that is the test; 0: DIR/test is.
    """

    def __init__(self, root: Path, held_out: float = 0.0) -> None:
        self.root, self.held_out = root, held_out

    def check(self) -> tuple[str, ...]:
        """Faults of both splits' folders; files are listed but not opened."""
        return (*self._faults("train"), *self._faults("test"))

    def training_pool(self) -> Pool:
        """The pictures under DIR/train but those held out, ordered by class and name."""
        return self._pool("train")

    def training_classes(self) -> list[str]:
        """The names of the folders in DIR/train."""
        refuse(self._faults("train"))
        return [folder.name for folder in _visible_folders(self.root / "train")]

    def sealed_test(self) -> Pool:
        """The pictures under DIR/test, or those held out."""
        return self._pool("test")

    def _pool(self, split: str) -> Pool:
        refuse(self._faults(split))
        files = [
            (path, folder.name)
            for folder in _visible_folders(self.root / ("train" if self.held_out else split))
            for path in self._pictures(folder, split)
        ]
        note = f"{self.held_out:g} of each class of {self.root}/train is the sealed test"
        return Pool(
            pictures=[path for path, _ in files],
            labels=[name for _, name in files],
            places=[str(path) for path, _ in files],
            notes=(note,) if self.held_out else (),
        )

    def _pictures(self, folder: Path, split: str) -> list[Path]:
        """Of a class, what belongs to a split."""
        files = _picture_files(folder)
        if not self.held_out:
            return files
        rng = np.random.default_rng(zlib.crc32(folder.name.encode()))
        is_test = np.zeros(len(files), bool)
        is_test[rng.permutation(len(files))[: round(self.held_out * len(files))]] = True
        return [path for path, out in zip(files, is_test, strict=True) if out == (split == "test")]

    def _faults(self, split: str) -> list[str]:
        if self.held_out and split == "test":
            return self._faults_of_holding_out()
        top = self.root / split
        layout = f"{self.root}/{split}/CLASS/PICTURE"
        if not top.is_dir():
            way_out = "create it or name another folder"
            if split == "test":
                way_out += "; or hold out a part of train, once and for all, with --held-out 0.2"
            return [f"{top} is not a folder; allowed: {layout}; {way_out}"]
        classes = _visible_folders(top)
        if not classes:
            return [f"{top} holds no class folder; allowed: {layout}; make one folder a class"]
        return [
            f"{folder} holds no picture; allowed: files ending in {', '.join(EXTENSIONS)}; add "
            "pictures or remove the folder"
            for folder in classes
            if not _picture_files(folder)
        ]

    def _faults_of_holding_out(self) -> list[str]:
        top, test = self.root / "train", self.root / "test"
        if test.exists():
            return [
                f"held_out is {self.held_out:g} and there is {test}; allowed: one test; leave "
                "--held-out away, or move the folder"
            ]
        folders = _visible_folders(top) if top.is_dir() else []
        return [
            f"{folder} holds {count} pictures, of which {self.held_out:g} are none; allowed: "
            f"enough for a test of one or more; add pictures or raise --held-out"
            for folder in folders
            if (count := len(_picture_files(folder))) and not round(self.held_out * count)
        ]


def _visible_folders(top: Path) -> list[Path]:
    return sorted(path for path in top.iterdir() if path.is_dir() and path.name[0] != ".")


def _picture_files(folder: Path) -> list[Path]:
    """Pictures at any depth, links followed, hidden files left out, in one order everywhere."""
    return sorted(
        Path(parent) / name
        for parent, _, names in os.walk(folder, followlinks=True)
        for name in names
        if name.lower().endswith(EXTENSIONS) and name[0] != "."
    )

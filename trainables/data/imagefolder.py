"""A folder of pictures, one folder a class: DIR/train/CLASS/*.png and DIR/test/CLASS/*.png."""

import os
from pathlib import Path

from trainables.data.pool import Pool
from trainables.errors import refuse

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


class ImageFolderSource:
    """Pictures by folder, as torchvision's ImageFolder lays them out."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def check(self) -> tuple[str, ...]:
        """Faults of both splits' folders; files are listed but not opened."""
        return (*self._faults("train"), *self._faults("test"))

    def training_pool(self) -> Pool:
        """The pictures under DIR/train, ordered by class and name."""
        return self._pool("train")

    def training_classes(self) -> list[str]:
        """The names of the folders in DIR/train."""
        refuse(self._faults("train"))
        return [folder.name for folder in _visible_folders(self.root / "train")]

    def sealed_test(self) -> Pool:
        """The pictures under DIR/test."""
        return self._pool("test")

    def _pool(self, split: str) -> Pool:
        refuse(self._faults(split))
        files = [
            (path, folder.name)
            for folder in _visible_folders(self.root / split)
            for path in _picture_files(folder)
        ]
        return Pool(
            pictures=[path for path, _ in files],
            labels=[name for _, name in files],
            places=[str(path) for path, _ in files],
        )

    def _faults(self, split: str) -> list[str]:
        top = self.root / split
        layout = f"{self.root}/{split}/CLASS/PICTURE"
        if not top.is_dir():
            return [f"{top} is not a folder; allowed: {layout}; create it or name another folder"]
        classes = _visible_folders(top)
        if not classes:
            return [f"{top} holds no class folder; allowed: {layout}; make one folder a class"]
        return [
            f"{folder} holds no picture; allowed: files ending in {', '.join(EXTENSIONS)}; add "
            "pictures or remove the folder"
            for folder in classes
            if not _picture_files(folder)
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

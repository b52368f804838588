"""The sealed test cannot be reached from the search, nor with the seeds of a confirmation."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from search.confirm.steps import fresh_pictures
from search.settings.settings import Settings
from tests.helpers.pictures import png, textured, write_folder, write_parquet
from trainables.data.imagefolder import ImageFolderSource
from trainables.data.load import load_training
from trainables.data.parquet import ParquetSource
from trainables.data.sources import SyntheticSource, open_source

ROOT = Path(__file__).parents[3]
OPENERS = {"open_sealed_test", "load_for_audit", "sealed_test", "_load_test_part"}
# The door itself, what stands behind it, and the audit's process, of which only hashes come back.
KEEPERS = {
    *("trainables/data/load.py", "trainables/data/pool.py", "trainables/data/sources.py"),
    *("trainables/data/cifar10.py", "trainables/data/imagefolder.py", "trainables/data/parquet.py"),
    "trainables/data/audit.py",
}
FILES = [p for room in ("search", "spaces", "trainables") for p in (ROOT / room).rglob("*.py")]
LABELS = ["ant", "bee"] * 30


def names(path: Path) -> set[str]:
    """Every identifier, imported name, attribute and text of a file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.alias(name=name, asname=_):
                found.add(name.rpartition(".")[2])
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.FunctionDef(name=name):
                found.add(name)
            case ast.Constant(value=str(text)):
                found.add(text)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_but_its_keepers_names_what_opens_the_test(path: Path):
    if str(path.relative_to(ROOT)) not in KEEPERS:
        assert not names(path) & OPENERS


def test_the_audit_is_a_process_of_its_own_for_the_search():
    users = [path for path in FILES if "run_audit" in names(path)]
    assert {str(path.relative_to(ROOT)) for path in users} == {
        "search/tuning/preparation.py",
        "trainables/data/audit.py",
    }
    audit = ast.parse((ROOT / "trainables/data/audit.py").read_text())
    run_audit = next(n for n in audit.body if getattr(n, "name", "") == "run_audit")
    called = {n.func.attr for n in ast.walk(run_audit) if isinstance(n, ast.Call)
              and isinstance(n.func, ast.Attribute)}  # fmt: skip
    assert "run" in called  # subprocess.run
    assert not {"audit", "load_for_audit"} & {
        n.func.id for n in ast.walk(run_audit) if isinstance(n, ast.Call)
        and isinstance(n.func, ast.Name)
    }  # fmt: skip


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A source of each kind whose test raises when it is read; name -> --data."""

    def refuse(source: object) -> None:
        raise AssertionError("the sealed test was read")

    for source in (ImageFolderSource, ParquetSource, SyntheticSource):
        monkeypatch.setattr(source, "sealed_test", refuse)
    train, test = textured(60, seed=1), textured(20, seed=2)
    for split, pictures in (("train", train), ("test", test)):
        count = len(pictures)
        write_folder(tmp_path / "folder" / split, pictures, LABELS[:count])
        encoded = [png(picture) for picture in pictures]
        write_parquet(tmp_path / "files" / f"{split}.parquet", encoded, LABELS[:count])
    return {
        "imagefolder": f"imagefolder:{tmp_path / 'folder'}",
        "parquet": f"parquet:{tmp_path / 'files'}",
        "synthetic": "synthetic",
    }


def rows(images: np.ndarray) -> set[bytes]:
    return {image.tobytes() for image in images}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", ["imagefolder", "parquet", "synthetic"])
def test_a_fresh_seed_draws_a_new_split_of_the_training_pool(sources: dict[str, str], name: str):
    settings = Settings(data=sources[name], train_size=30, val_size=20, batch_size=10)
    searched = load_training(settings.data_spec)
    fresh = [fresh_pictures(settings, seed) for seed in (1000, 1001)]
    assert [data.data_seed for data in fresh] == [1000, 1001]
    assert not (rows(fresh[0].train.images) & rows(fresh[0].val.images))
    assert rows(fresh[0].val.images) != rows(fresh[1].val.images) != rows(searched.val.images)
    if name != "synthetic":  # which draws a new pool
        pool = rows(textured(60, seed=1))
        assert all(rows(data.train.images) | rows(data.val.images) <= pool for data in fresh)
    again = fresh_pictures(settings, 1000)
    assert np.array_equal(again.train.images, fresh[0].train.images)
    assert np.array_equal(again.val.labels, fresh[0].val.labels)


@pytest.mark.timeout(60)
def test_no_fresh_seed_draws_a_picture_of_a_synthetic_test(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("trainables.data.sources.SYNTHETIC_TEST_SIZE", 40)
    spec = Settings(data="synthetic", train_size=30, val_size=20, batch_size=10).data_spec
    test = rows(np.asarray(open_source(spec).sealed_test().pictures))
    for seed in (0, 1000, 1001, 2**31 - 1):
        pool = open_source(replace(spec, seed=seed)).training_pool()
        assert not rows(np.asarray(pool.pictures)) & test

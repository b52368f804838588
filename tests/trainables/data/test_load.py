import dataclasses
import shutil
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import trainables.data
from tests.helpers.pictures import textured, write_folder
from trainables.data.images import ImageSet
from trainables.data.load import fingerprint, load_training, open_sealed_test
from trainables.data.spec import DataSpec
from trainables.errors import UserError
from trainables.storage import journal

CLASSES = ["bee", "ant", "cow"]


@pytest.fixture
def spec(tmp_path: Path) -> DataSpec:
    """24 training pictures and 6 test ones of three classes, in folders."""
    write_folder(tmp_path / "data" / "train", textured(24, seed=0), CLASSES * 8)
    write_folder(tmp_path / "data" / "test", textured(6, seed=1), CLASSES * 2)
    return DataSpec(source=f"imagefolder:{tmp_path / 'data'}", train_size=12, val_size=6, seed=4)


def test_training_data_is_stratified_contiguous_and_encoded_alphabetically(spec: DataSpec) -> None:
    data = load_training(spec)
    assert data.train.images.shape == (12, 32, 32, 3)
    assert data.val.images.shape == (6, 32, 32, 3)
    assert data.train.class_names == data.val.class_names == ("ant", "bee", "cow")
    assert data.train.class_counts.tolist() == [4, 4, 4]
    assert data.val.class_counts.tolist() == [2, 2, 2]
    assert data.train.images.flags.c_contiguous
    assert data.train.images.dtype == np.uint8
    assert data.train.labels.dtype == np.int64
    assert data.notes == ()


def test_pictures_keep_their_labels(spec: DataSpec) -> None:
    originals = textured(24, seed=0)
    data = load_training(spec)
    for part in (data.train, data.val):
        for image, label in zip(part.images, part.labels, strict=True):
            (index,) = np.flatnonzero((originals == image).all(axis=(1, 2, 3)))
            assert part.class_names[label] == CLASSES[index % 3]


def test_training_needs_no_test_split(spec: DataSpec) -> None:
    before = load_training(spec)
    shutil.rmtree(Path(spec.source_argument or "") / "test")
    after = load_training(spec)
    assert fingerprint(after.train) == fingerprint(before.train)
    assert fingerprint(after.val) == fingerprint(before.val)


def test_training_opens_no_file_of_the_test_split(
    spec: DataSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    real_open = PIL.Image.open

    def spy(path: Path) -> PIL.Image.Image:
        opened.append(path)
        return real_open(path)

    monkeypatch.setattr(PIL.Image, "open", spy)
    load_training(spec)
    assert len(opened) == 18
    assert all("train" in path.parts and "test" not in path.parts for path in opened)


def test_each_opening_of_the_test_is_journalled_once(spec: DataSpec, tmp_path: Path) -> None:
    for number, command in enumerate(["report", "confirm"], start=1):
        test = open_sealed_test(spec, tmp_path, opened_by=command)
        events = journal.read(tmp_path / "journal.jsonl")
        assert len(events) == number
        assert events[-1]["event"] == "test_opened"
        assert events[-1]["by"] == command
        assert events[-1]["data"] == spec.to_dict()
    assert test.class_counts.tolist() == [2, 2, 2]
    assert test.class_names == ("ant", "bee", "cow")


def test_an_opening_that_fails_is_journalled_too(spec: DataSpec, tmp_path: Path) -> None:
    shutil.rmtree(Path(spec.source_argument or "") / "test")
    with pytest.raises(UserError, match="test is not a folder"):
        open_sealed_test(spec, tmp_path, opened_by="report")
    assert [event["by"] for event in journal.read(tmp_path / "journal.jsonl")] == ["report"]


def test_the_test_stays_shut_without_a_run_folder(spec: DataSpec, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="which is not there"):
        open_sealed_test(spec, tmp_path / "absent", opened_by="report")


def test_a_test_class_that_training_lacks_is_refused(spec: DataSpec, tmp_path: Path) -> None:
    write_folder(tmp_path / "data" / "test", textured(2, seed=2), ["dog", "emu"])
    with pytest.raises(UserError) as caught:
        open_sealed_test(spec, tmp_path, opened_by="report")
    assert len(caught.value.faults) == 2
    assert "class 'dog', which the training pool lacks" in caught.value.faults[0]


def test_only_load_reads_the_sealed_test_and_only_the_audit_all_three() -> None:
    room = Path(trainables.data.__file__).parents[2]
    sources = [
        path
        for folder in ("trainables", "spaces", "search", "analysis")
        for path in (room / folder).rglob("*.py")
    ]
    calls = {path.name for path in sources if ".sealed_test()" in path.read_text()}
    audits = {path.name for path in sources if "load_for_audit(" in path.read_text()}
    assert calls == {"load.py"}
    assert audits == {"load.py", "audit.py"}


def test_resized_pictures_are_noted(tmp_path: Path) -> None:
    write_folder(tmp_path / "train", textured(8, seed=0), ["ant", "bee"] * 4)
    write_folder(tmp_path / "train", textured(4, seed=1, side=40), ["cow"] * 4)
    write_folder(tmp_path / "train", textured(4, seed=1, side=64), ["dog"] * 4)
    spec = DataSpec(source=f"imagefolder:{tmp_path}", train_size=8, val_size=8)
    data = load_training(spec)
    assert data.train.images.shape == data.val.images.shape == (8, 32, 32, 3)
    assert data.notes == (
        "8 of 16 pictures were 40x40..64x64 and were resized once to 32x32 "
        "(central square, Lanczos)",
    )


def test_the_fingerprint_sees_pixels_labels_names_and_order() -> None:
    images = textured(3, seed=0)
    plain = ImageSet(images=images, labels=np.array([0, 1, 1]), class_names=("ant", "bee"))
    dot = images.copy()
    dot[2, 31, 31, 2] ^= 1
    variants = [
        plain,
        dataclasses.replace(plain, images=dot),
        dataclasses.replace(plain, labels=np.array([0, 1, 0])),
        dataclasses.replace(plain, class_names=("ant", "cow")),
        plain.select(np.array([0, 2, 1])),
    ]
    assert len({fingerprint(variant) for variant in variants}) == len(variants)
    assert fingerprint(dataclasses.replace(plain)) == fingerprint(plain)


def test_an_image_set_refuses_what_it_cannot_be() -> None:
    with pytest.raises(UserError) as caught:
        ImageSet(
            images=np.zeros((2, 4, 5, 3), np.float32),
            labels=np.array([0, 7]),
            class_names=("ant", "ant"),
        )
    assert [fault.split(";")[0] for fault in caught.value.faults] == [
        "images have dtype float32",
        "images have shape (2, 4, 5, 3)",
        "labels run from 0 to 7",
        "class_names is ('ant', 'ant')",
    ]


@pytest.mark.parametrize(
    ("source", "name", "argument"),
    [
        ("cifar10", "cifar10", None),
        ("cifar10:/data", "cifar10", "/data"),
        ("parquet:a:b", "parquet", "a:b"),
        ("synthetic", "synthetic", None),
    ],
)
def test_a_spec_knows_its_source_and_survives_json(source: str, name: str, argument: str) -> None:
    spec = DataSpec(source=source)
    assert (spec.source_name, spec.source_argument) == (name, argument)
    assert DataSpec.from_dict(spec.to_dict()) == spec


@pytest.mark.parametrize("source", ["mnist", "parquet", "parquet:", "synthetic:x", "cifar10:", ""])
def test_a_malformed_source_is_refused(source: str) -> None:
    with pytest.raises(UserError, match="allowed: cifar10, cifar10:DIR, imagefolder:DIR"):
        DataSpec(source=source)


def test_all_faults_of_a_spec_are_listed_at_once() -> None:
    with pytest.raises(UserError) as caught:
        DataSpec(source="mnist", train_size=0, val_size=2.5, seed=-1, base_px=True)  # type: ignore[arg-type]
    assert len(caught.value.faults) == 5
    with pytest.raises(UserError, match="'trainsize' is unknown"):
        DataSpec.from_dict({"trainsize": 5})

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.pictures import Images, png, textured, write_folder, write_parquet
from trainables.command import run_main
from trainables.data.audit import AuditResult, audit, main, run_audit
from trainables.data.audit_checks import check_splits
from trainables.data.duplicates import (
    MIRRORED_BITS,
    constant,
    correlations,
    near_pairs,
    perceptual_hashes,
)
from trainables.data.images import ImageSet
from trainables.data.load import Part
from trainables.data.spec import DataSpec
from trainables.errors import UserError
from trainables.storage import journal

SIZES = {"train": 40, "val": 20, "test": 20}  # 10, 5 and 5 a class: just enough
CLASSES = ("ant", "bee", "cow", "dog")


def part(name: str, images: Images, labels: Sequence[int] | None = None) -> Part:
    indices = np.arange(len(images)) % len(CLASSES) if labels is None else np.array(labels)
    return Part(
        images=ImageSet(images=images, labels=indices, class_names=CLASSES),
        places=tuple(f"{name} {index}" for index in range(len(images))),
    )


@pytest.fixture
def pictures() -> dict[str, Images]:
    """Three clean splits, to plant something in."""
    return {name: textured(size, seed=seed) for seed, (name, size) in enumerate(SIZES.items())}


def parts_of(pictures: dict[str, Images]) -> dict[str, Part]:
    return {name: part(name, images) for name, images in pictures.items()}


# Hashes


def test_the_hash_of_the_mirror_image_is_the_hash_with_its_odd_frequencies_flipped() -> None:
    images = textured(50, seed=0)
    mirrored = np.ascontiguousarray(images[:, :, ::-1])
    np.testing.assert_array_equal(
        perceptual_hashes(mirrored), perceptual_hashes(images) ^ MIRRORED_BITS
    )


def test_a_hash_bit_is_the_sign_of_its_cosine() -> None:
    columns = np.cos(np.pi * (np.arange(32) + 0.5) / 32)  # vertical 0 is no bit of the hash
    waves = [np.outer(np.cos(np.pi * (2 * np.arange(32) + 1) * k / 64), columns) for k in (1, 2)]
    images = np.stack([np.repeat((128 + 99 * w)[..., None], 3, 2) for w in waves]).round()
    hashes = perceptual_hashes(images.astype(np.uint8))
    assert int(hashes[0]) & 1  # frequency (1, 1)
    assert int(hashes[1]) >> 8 & 1  # frequency (2, 1)


def test_unrelated_pictures_are_no_pair() -> None:
    assert near_pairs(textured(400, seed=0)) == []


@pytest.mark.parametrize("side", [16, 32, 64])
def test_recompressed_and_brightened_pictures_are_near(side: int) -> None:
    images = textured(6, seed=0, side=side)
    small = Image.fromarray(images[1]).resize((side // 2, side // 2), Image.Resampling.BOX)
    images[3] = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))
    images[5] = (images[2] * 0.8 + 30).astype(np.uint8)
    assert [(pair.first, pair.second, pair.mirrored) for pair in near_pairs(images)] == [
        (1, 3, False),
        (2, 5, False),
    ]


def test_mirrored_pictures_are_near() -> None:
    images = textured(5, seed=0)
    images[4] = images[0, :, ::-1]
    (pair,) = near_pairs(images)
    assert (pair.first, pair.second, pair.mirrored) == (0, 4, True)
    assert pair.correlation == pytest.approx(1, abs=1e-5)


def test_flat_skies_are_not_called_near() -> None:
    fading = np.linspace(220, 140, 32)[None, :, None, None]  # alike to the eye from far away
    grain = np.random.default_rng(0).normal(0, 3, size=(60, 32, 32, 3))
    skies = (fading + grain).astype(np.uint8)
    sky = np.arange(60)
    assert correlations(skies, sky[:1], sky[1:2], mirrored=False)[0] > 0.95
    assert near_pairs(skies) == []


def test_correlation_has_its_textbook_value_and_is_zero_for_an_even_grey() -> None:
    ramp = np.tile(np.arange(32, dtype=np.uint8), (32, 1))
    images = np.stack([ramp, ramp.T, 31 - ramp, np.full_like(ramp, 7)])
    rgb = np.repeat(images[..., None], 3, axis=3)
    first = np.zeros(4, np.int64)
    np.testing.assert_allclose(
        correlations(rgb, first, np.arange(4), mirrored=False), [1, 0, -1, 0], atol=1e-5
    )
    assert correlations(rgb, first[:1], first[:1] + 2, mirrored=True)[0] == pytest.approx(1)


def test_only_pictures_of_one_colour_are_constant() -> None:
    images = textured(3, seed=0)
    images[1] = (10, 20, 30)
    images[2, ..., 1] = 5  # one channel constant, the others not
    assert constant(images).tolist() == [False, True, False]


# Checks


def test_clean_splits_have_neither_faults_nor_warnings(pictures: dict[str, Images]) -> None:
    found = check_splits(parts_of(pictures))
    assert (found.faults, found.warnings, found.duplicates) == ((), (), [])
    assert found.splits["train"]["shape"] == [40, 32, 32, 3]
    assert found.splits["val"]["class_counts"] == {"ant": 5, "bee": 5, "cow": 5, "dog": 5}
    assert found.splits["test"]["max"] == int(pictures["test"].max())


def test_all_faults_of_all_splits_are_listed_at_once(pictures: dict[str, Images]) -> None:
    pictures["val"][[3, 7]] = pictures["train"][[3, 11]]  # of one class
    pictures["test"][2] = pictures["train"][1]  # of two classes
    pictures["test"][4] = pictures["val"][0]
    found = check_splits(parts_of(pictures))
    assert found.faults == (
        "train and val share 2 pictures (train 3 = val 3; train 11 = val 7); allowed: 0; "
        "remove one copy of each",
        "train and test share 1 pictures (train 1 = test 2); allowed: 0; remove one copy of each",
        "val and test share 1 pictures (val 0 = test 4); allowed: 0; remove one copy of each",
        "train/test: the same picture is labelled bee (train 1) and cow (test 2); allowed: one "
        "label a picture; correct or remove one",
    )
    assert [entry["exact"] for entry in found.duplicates] == [2, 1, 1]


def test_copies_within_a_split_are_a_warning(pictures: dict[str, Images]) -> None:
    pictures["train"][[8, 12]] = pictures["train"][4]
    found = check_splits(parts_of(pictures))
    assert found.faults == ()
    assert found.warnings == (
        "train: 2 pictures are copies of another in the same split (train 4 = train 8; train 4 = "
        "train 12); each copy counts its picture once more",
    )


def test_a_copy_with_another_label_in_the_same_split_is_a_fault(
    pictures: dict[str, Images],
) -> None:
    pictures["val"][6] = pictures["val"][5]
    (fault,) = check_splits(parts_of(pictures)).faults
    assert fault.startswith("val: the same picture is labelled bee (val 5) and cow (val 6)")


def test_near_duplicates_are_warnings_with_counts_and_examples(
    pictures: dict[str, Images],
) -> None:
    pictures["test"][0] = pictures["train"][4] // 2 + 60
    pictures["test"][1] = pictures["train"][0, :, ::-1]
    found = check_splits(parts_of(pictures))
    assert found.faults == ()
    (warning,) = found.warnings
    assert warning.startswith(
        "train and test share 2 pairs of near duplicates, 1 of them mirrored, 1 with two labels "
        "(train 0 ~ test 1 mirrored, correlation 1.000; train 4 ~ test 0, correlation 1.000)"
    )
    (entry,) = found.duplicates
    assert (entry["splits"], entry["near"], entry["near_mirrored"]) == (["train", "test"], 2, 1)


def test_starved_classes_stop_the_run_in_train_and_val_and_warn_in_test(
    pictures: dict[str, Images],
) -> None:
    parts = parts_of(pictures)
    parts["train"] = part("train", pictures["train"], [0] * 9 + [1] * 10 + [2] * 21)
    parts["test"] = part("test", pictures["test"], [0] * 6 + [1] * 5 + [2] * 5 + [3] * 4)
    found = check_splits(parts)
    assert found.faults == (
        "train: class ant has 9 pictures; allowed: at least 10; raise train_size or add pictures",
        "train: class dog has 0 pictures; allowed: at least 10; raise train_size or add pictures",
    )
    assert found.warnings == ("test: class dog has 4 pictures; allowed: at least 5; add pictures",)


def test_pictures_of_one_colour_are_counted(pictures: dict[str, Images]) -> None:
    pictures["train"][[0, 4]] = np.array([[[[0]]], [[[90]]]])
    found = check_splits(parts_of(pictures))
    assert found.faults == ()
    assert found.warnings == (
        "train: 2 of 40 pictures have one colour only (train 0; train 4); remove them if they are "
        "not meant",
    )


def test_a_black_split_and_one_scaled_to_unit_range_are_faults(
    pictures: dict[str, Images],
) -> None:
    pictures["val"][:] = 0
    pictures["test"] = (pictures["test"] > 128).astype(np.uint8)
    faults = check_splits(parts_of(pictures)).faults
    assert faults[0].startswith("val: all 20 pictures have the one value 0; allowed:")
    assert faults[1].startswith("test: pixel values run from 0 to 1; allowed: 0 to 255;")


# The process


def write_data(folder: Path) -> DataSpec:
    for seed, split in enumerate(("train", "test")):
        images = textured(60 if split == "train" else 20, seed=seed)
        cells = [png(image) for image in images]
        write_parquet(folder / f"{split}.parquet", cells, [*range(4)] * (len(images) // 4))
    return DataSpec(source=f"parquet:{folder}", train_size=40, val_size=20)


@pytest.mark.timeout(60)
def test_the_audit_runs_as_a_process_and_leaves_figures_and_hashes(tmp_path: Path) -> None:
    spec = write_data(tmp_path / "data")
    result = run_audit(spec, tmp_path / "audit.json", run_dir=tmp_path)
    assert result.passed
    assert result.splits["test"]["count"] == 20
    assert result.data == spec.to_dict()
    assert AuditResult.read(tmp_path / "audit.json") == result
    (event,) = journal.read(tmp_path / "journal.jsonl")
    assert event["event"] == "test_audited"
    assert event["hashes"] == result.hashes
    assert set(result.hashes) == {"train", "val", "test"}
    assert all(len(digest) == 64 for digest in result.hashes.values())
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "audit.json",
        "data",
        "journal.jsonl",
    ]


@pytest.mark.timeout(60)
def test_a_failed_audit_raises_all_faults(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spec = write_data(tmp_path / "data")
    (tmp_path / "data" / "test.parquet").write_text("damaged")
    with pytest.raises(UserError, match=r"test\.parquet cannot be read") as caught:
        run_audit(spec, tmp_path / "audit.json", run_dir=tmp_path)
    written = json.loads((tmp_path / "audit.json").read_text())
    assert written["faults"] == list(caught.value.faults)
    (event,) = journal.read(tmp_path / "journal.jsonl")
    assert (event["passed"], event["hashes"]) == (False, {})
    assert capfd.readouterr().err == ""  # the caller prints the faults, once


def test_a_process_that_ends_without_a_result_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "audit.json").write_text("an earlier result, not to be believed")
    monkeypatch.setattr(sys, "executable", "false")
    with pytest.raises(UserError, match="ended with status 1 and no result"):
        run_audit(DataSpec(source="synthetic"), tmp_path / "audit.json")


def test_the_command_prints_its_faults_and_returns_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec_path, out_path = tmp_path / "spec.json", tmp_path / "audit.json"
    spec_path.write_text(json.dumps({"source": f"imagefolder:{tmp_path}"}))
    monkeypatch.setattr(sys, "argv", ["audit", "--spec", str(spec_path), "--out", str(out_path)])
    assert run_main(main) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {tmp_path}/train is not a folder; allowed:")
    assert not AuditResult.read(out_path).passed


def test_the_command_refuses_a_spec_it_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "spec.json").write_text('{"source": "mnist"}')
    argv = ["audit", "--spec", str(tmp_path / "spec.json"), "--out", str(tmp_path / "audit.json")]
    monkeypatch.setattr(sys, "argv", argv)
    assert run_main(main) == 2
    assert "source is 'mnist'; allowed: cifar10" in capsys.readouterr().err


def test_the_audit_returns_what_loading_noted(tmp_path: Path) -> None:
    write_folder(tmp_path / "train", textured(60, seed=0, side=40), CLASSES * 15)
    write_folder(tmp_path / "test", textured(15, seed=1), CLASSES[:3] * 5)
    result = audit(DataSpec(source=f"imagefolder:{tmp_path}", train_size=40, val_size=20))
    assert result.passed
    assert result.notes[0].startswith("60 of 60 pictures were 40x40")
    assert result.notes[1].startswith("the test split has no picture of dog")
    assert result.warnings == ("test: class dog has 0 pictures; allowed: at least 5; add pictures",)

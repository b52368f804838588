"""A folder of one's own: other classes, odd pictures, no test."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.pictures import MODES, odd_picture, textured, write_folder, write_odd_folder
from trainables.classes import ORGANIC, listed
from trainables.config import FineTuneConfig
from trainables.data.decode import decode
from trainables.data.load import fingerprint, load_for_audit, load_training, open_sealed_test
from trainables.data.pool import Pool
from trainables.data.sources import check_source, default_organic, open_source
from trainables.data.spec import DataSpec
from trainables.data.splits import split_indices
from trainables.errors import UserError

COUNTS = {"cup": 30, "newt": 20, "pond": 10}


@pytest.fixture(scope="module")
def trained_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `train` alone."""
    folder = tmp_path_factory.mktemp("own")
    write_odd_folder(folder / "train", COUNTS, seed=0)
    return folder


def spec_of(folder: Path, **changes: object) -> DataSpec:
    return replace(
        DataSpec(source=f"imagefolder:{folder}", train_size=24, val_size=12, held_out=0.2),
        **changes,
    )


@given(
    mode=st.sampled_from(sorted(MODES)),
    width=st.integers(1, 70),
    height=st.integers(1, 70),
    base_px=st.sampled_from([16, 32, 48]),
)
def test_any_mode_and_size_becomes_a_square_of_rgb(tmp_path_factory, mode, width, height, base_px):
    path = tmp_path_factory.mktemp("one") / f"picture.{MODES[mode]}"
    picture = odd_picture(np.random.default_rng(0), mode=mode, size=(width, height), level=128)
    picture.save(path)
    pool = Pool(pictures=[path], labels=["a"], places=["here"])
    images, notes = decode(pool, np.arange(1), base_px=base_px)
    assert images.shape == (1, base_px, base_px, 3)
    assert images.dtype == np.uint8
    assert bool(notes) == ((width, height) != (base_px, base_px))
    if mode != "1":  # black or white dots have no mean to compare
        assert abs(float(images.mean()) - 128) < 60


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_the_held_out_part_is_stratified_and_the_same_whatever_the_seed(trained_only, seed):
    source = open_source(spec_of(trained_only, seed=seed))
    test, pool = source.sealed_test(), source.training_pool()
    assert Counter(test.labels) == {"cup": 6, "newt": 4, "pond": 2}
    assert Counter(test.labels) + Counter(pool.labels) == Counter(COUNTS)
    assert not {*test.places} & {*pool.places}
    assert list(test.places) == list(open_source(spec_of(trained_only)).sealed_test().places)


def test_the_held_out_part_is_told_and_sealed(trained_only, tmp_path):
    loaded = load_training(spec_of(trained_only))
    assert any("is the sealed test" in note for note in loaded.notes)
    test = open_sealed_test(spec_of(trained_only), tmp_path, opened_by="a test")
    assert len(test) == 12
    audited, _ = load_for_audit(spec_of(trained_only))
    assert fingerprint(audited["test"].images) == fingerprint(test)
    assert "test_opened" in (tmp_path / "journal.jsonl").read_text()


def test_without_a_test_the_way_out_is_told(trained_only):
    (fault,) = check_source(spec_of(trained_only, held_out=0.0))
    assert f"{trained_only}/test is not a folder" in fault
    assert "--held-out 0.2" in fault


def test_two_tests_are_refused_and_classes_too_small_to_divide(tmp_path):
    write_odd_folder(tmp_path / "train", {"cup": 5, "newt": 2}, seed=0)
    (fault,) = check_source(spec_of(tmp_path))
    assert "newt holds 2 pictures, of which 0.2 are none" in fault
    write_odd_folder(tmp_path / "test", {"cup": 1, "newt": 1}, seed=1)
    (fault,) = check_source(spec_of(tmp_path))
    assert "allowed: one test" in fault


@pytest.mark.parametrize(("source", "share"), [("synthetic", 0.2), ("imagefolder:x", 0.9)])
def test_only_a_folder_can_hold_out_a_part_and_not_most_of_it(source, share):
    with pytest.raises(UserError, match="held_out is 0"):
        DataSpec(source=source, held_out=share)


@given(
    counts=st.lists(st.integers(15, 400), min_size=2, max_size=12),
    share=st.floats(0.3, 0.6),
    seed=st.integers(0, 100),
)
def test_imbalanced_classes_keep_their_shares(counts, share, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    sizes = {"train_size": int(share * len(labels)), "val_size": int(0.3 * len(labels))}
    train, _ = split_indices(labels, **sizes, seed=seed)
    exact = np.array(counts) * sizes["train_size"] / len(labels)
    assert (np.abs(np.bincount(labels[train]) - exact) <= 1).all()


@pytest.mark.parametrize("num_classes", [1, 1001])
def test_two_to_a_thousand_classes(num_classes):
    labels = np.repeat(np.arange(num_classes), 10)
    with pytest.raises(UserError, match="allowed: 2 to 1,000"):
        split_indices(labels, train_size=5 * num_classes, val_size=2 * num_classes, seed=0)
    most = np.repeat(np.arange(1000), 10)
    train, val = split_indices(most, train_size=5000, val_size=3000, seed=0)
    assert (np.bincount(most[train]) == 5).all()
    assert (np.bincount(most[val]) == 3).all()


def test_organic_classes_are_known_of_cifar10s_alone(tmp_path, trained_only):
    assert default_organic(DataSpec(source="synthetic")) == ORGANIC
    assert default_organic(spec_of(trained_only)) == ()
    assert default_organic(spec_of(tmp_path / "absent")) == ()
    names = [*ORGANIC, "airplane", "automobile", "ship", "truck"]
    write_folder(tmp_path / "train", textured(10, seed=0), names)
    assert default_organic(spec_of(tmp_path, held_out=0.0)) == ORGANIC


@pytest.mark.parametrize("setting", [{"augmentation": "adaptive"}, {"class_weights": "deformable"}])
def test_what_needs_organic_classes_is_refused_without(setting):
    with pytest.raises(UserError, match=r"no class is organic; allowed: none.*--organic"):
        FineTuneConfig(organic="", **setting)
    assert FineTuneConfig(organic="newt", **setting).organic_classes == ("newt",)


def test_a_list_of_names_is_read_as_written():
    assert listed(" newt, leaf ,") == ("newt", "leaf")
    assert listed("") == ()

"""The checkpoints of a confirmation are asked; where there are too few the report says why."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.run.predict import ask_fresh, fresh_checkpoints, load_for
from analysis.run.reader import read_run
from tests.helpers.fabricate import edit_json
from tests.helpers.tiny_run import FRESH_SEEDS, confirm_tiny_run, make_tiny_run
from trainables.data.images import ImageSet
from trainables.data.load import open_sealed_test
from trainables.data.spec import DataSpec
from trainables.errors import UserError

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def confirmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("run")
    run = make_tiny_run(tmp_path_factory.mktemp("images"), made)
    confirm_tiny_run(run)
    return run


@pytest.fixture
def folder(confirmed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(confirmed, tmp_path / "run"))


def opened_test(folder: Path) -> ImageSet:
    spec = DataSpec.from_dict(read_run(folder).experiment["data"])
    return open_sealed_test(spec, folder, opened_by="a test of the project")


def test_every_kept_model_answers_for_itself(folder: Path) -> None:
    run, test = read_run(folder), opened_test(folder)
    answers = ask_fresh(fresh_checkpoints(run), run, test, device="cpu", batch_size=8)
    assert (answers.trial, answers.seeds, answers.reason) == (3, FRESH_SEEDS, None)
    assert run.confirmation is not None
    for entry, predicted in zip(run.confirmation["checkpoints"], answers.predictions, strict=True):
        alone = load_for(folder / entry["path"], run.class_names)
        assert alone.config.seed == entry["seed"]
        expected = alone.predict_logits(test.images).argmax(axis=1)
        np.testing.assert_array_equal(predicted, expected)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda f: (f / "confirm.json").unlink(), "the run was not confirmed; `python -m search"),
        (lambda f: edit_json(f / "confirm.json", winner=None), "came through all fresh seeds"),
        (lambda f: edit_json(f / "confirm.json", checkpoints=[]), "kept no checkpoints"),
        (
            lambda f: shutil.rmtree(f / "confirm" / "trials" / "trial_0001"),
            "of the 2 checkpoints that the confirmation kept 1 are there",
        ),
    ],
)
def test_too_few_to_compare(folder: Path, damage: Callable[[Path], object], reason: str) -> None:
    damage(folder)
    run, test = read_run(folder), opened_test(folder)
    answers = ask_fresh(fresh_checkpoints(run), run, test, device="cpu", batch_size=8)
    assert answers.reason is not None
    assert reason in answers.reason
    assert answers.predictions == ()


def test_a_damaged_one_is_told_before_the_test_is_opened(folder: Path) -> None:
    path = folder / "confirm" / "trials" / "trial_0001" / "checkpoint_0001" / "state.json"
    path.write_text("{")
    with pytest.raises(UserError, match=r"trial_0001.* cannot be read"):
        fresh_checkpoints(read_run(folder))


def test_a_path_outside_the_run_is_refused(folder: Path) -> None:
    edit_json(folder / "confirm.json", checkpoints=[{"seed": 1000, "path": "../elsewhere"}])
    with pytest.raises(UserError, match="allowed: a path inside the run folder"):
        fresh_checkpoints(read_run(folder))

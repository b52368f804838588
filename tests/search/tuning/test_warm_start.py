"""What a new run takes over from another one."""

from dataclasses import replace
from pathlib import Path

import pytest

from search.tuning.warm_start import warm_start
from spaces.core import core
from spaces.dimensions import parameters
from trainables.config import FineTuneConfig
from trainables.errors import UserError
from trainables.storage import journal
from trainables.storage.files import write_json

EMBEDDED = "embedded sha256:1"
BASE = FineTuneConfig(head_epochs=1, finetune_epochs=3)
GOOD = replace(BASE, unfreeze="stage4", backbone_lr_ratio=0.2)
STOPPED = replace(BASE, unfreeze="all", cutmix_probability=0.4)
OUTSIDE = replace(BASE, head_lr=0.5)  # not a choice of the space `core`


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A run of five trials: finished, stopped, outside of `core`, failed, and a repeat."""
    experiment = {"format_version": 1, "data_fingerprint": "abc", "weights": {"id": EMBEDDED}}
    write_json(tmp_path / "experiment.json", experiment)
    path = tmp_path / "journal.jsonl"
    runs = [(GOOD, 0.7, "finished"), (STOPPED, 0.4, "stopped"), (OUTSIDE, 0.9, "finished"),
            (BASE, 0.6, "failed"), (GOOD, 0.7, "finished")]  # fmt: skip
    for number, (config, value, status) in enumerate(runs):
        journal.append(path, "started", trial=number, config=config.to_dict(), params={})
        for epoch in (1, 2):
            report = {"epoch": epoch, "val_macro_f1": value - 0.1 * (2 - epoch)}
            journal.append(path, "reported", trial=number, report=report)
        journal.append(path, status, trial=number)
    return tmp_path


def test_results_of_the_same_pictures_hold_where_every_setting_is_equal(other: Path):
    start = warm_start(str(other), core, BASE, "abc", weights_id=EMBEDDED)
    assert [point.config for point in start.points] == [
        config.to_dict() for config in (GOOD, STOPPED, GOOD)
    ]
    finished, stopped, _ = start.points
    assert (finished.state, finished.value) == ("COMPLETE", 0.7)
    assert (stopped.state, stopped.value) == ("PRUNED", None)
    assert stopped.values == {1: pytest.approx(0.3), 2: 0.4}
    assert start.first == []
    assert start.note == f"3 of 5 results of {other} hold here"


@pytest.mark.parametrize(
    ("fingerprint", "base", "weights"),
    [
        ("other pictures", BASE, EMBEDDED),
        ("abc", replace(BASE, finetune_epochs=9), EMBEDDED),
        ("abc", BASE, "embedded sha256:2"),
    ],
    ids=["other pictures", "longer trials", "another net of that name"],
)
def test_otherwise_its_best_configurations_are_asked_first(other: Path, fingerprint, base, weights):
    start = warm_start(str(other), core, base, fingerprint, weights_id=weights)
    assert start.points == []
    # Best first, each once. What `core` does not choose, such as a head rate, stays the new run's.
    asked = [parameters(config) for config in (OUTSIDE, GOOD, BASE, STOPPED)]
    assert start.first == asked


def test_the_decks_can_be_asked_first():
    start = warm_start("decks", core, BASE, "abc", weights_id=EMBEDDED)
    assert (start.points, len(start.first)) == ([], int(start.note.split()[0]))
    assert len(start.first) >= 3


def test_what_is_no_run_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match="is no run folder"):
        warm_start(str(tmp_path), core, BASE, "abc", weights_id=EMBEDDED)

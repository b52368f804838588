"""Which configurations are confirmed, with which seeds, on which pictures."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from search.confirm.grid import BOUNDS, choose_candidates, read_plan, settle_plan
from search.records.record import fresh_seeds
from tests.helpers.confirmed import BASE, search_record
from trainables.config import FineTuneConfig
from trainables.errors import UserError


def record():
    return search_record(
        {"values": [0.1, 0.5, 0.6, 0.5]},
        {"values": [0.1, 0.9], "status": "stopped"},
        {"values": [0.1, 0.2, 0.3, 0.8]},
        {"values": [0.1, 0.2, 0.3, 0.7], "head_lr": 0.003, "seed": 5},  # trial 2 with another seed
        {"values": [0.1, 0.6, 0.2, 0.6]},
        {"values": [0.99], "status": "diverged"},
        {"values": [0.95], "status": "running"},
    )


def plan_in(folder: Path, top: int | None = 2, seeds: int | None = 3):
    return settle_plan(folder, record(), 0, top=top, seeds=seeds)


def test_the_best_finished_trials_of_their_own_configurations_are_taken():
    chosen = choose_candidates(record(), 10)
    assert [c.trial for c in chosen] == [2, 0, 4]
    assert [(c.epoch, c.val_macro_f1) for c in chosen] == [(4, 0.8), (3, 0.6), (2, 0.6)]
    assert [c.trial for c in choose_candidates(record(), 1)] == [2]


def test_nothing_finished_is_told():
    with pytest.raises(UserError, match=r"none of the run's 1 trials has finished.*--resume"):
        choose_candidates(search_record({"values": [0.5], "status": "stopped"}), 3)


def test_fresh_seeds_are_no_trials_seeds():
    assert fresh_seeds(record(), 7, 3) == (1007, 1008, 1009)
    used = search_record({"values": [0.5], "seed": 1008}, {"values": [0.5], "seed": 1007})
    assert fresh_seeds(used, 7, 2) == (1009, 1010)


def test_seeds_stay_within_what_a_configuration_takes():
    seeds = fresh_seeds(record(), 2**31 - 1001, 3)
    assert seeds == (2**31 - 1, 1, 2)  # 0 is a trial's
    assert [replace(BASE, seed=seed).seed for seed in seeds] == list(seeds)


def test_each_seed_is_the_same_for_all_and_the_epoch_the_searchs(tmp_path: Path):
    plan = plan_in(tmp_path / "confirm")
    items = list(plan.items())
    assert [item["number"] for item in items] == list(range(6))
    assert [item["config"]["seed"] for item in items] == [1000, 1000, 1001, 1001, 1002, 1002]
    assert [item["config"]["last_epoch"] for item in items] == [4, 3] * 3
    cells = plan.grid.cells()
    assert [candidate.trial for candidate, _ in cells.values()] == [2, 0] * 3
    bookkeeping = {"seed", "last_epoch", "early_stopping_epochs"}
    for item in items:
        candidate, _ = cells[item["number"]]
        ours, theirs = item["config"], candidate.config
        assert {n: v for n, v in ours.items() if n not in bookkeeping} == {
            n: v for n, v in theirs.items() if n not in bookkeeping
        }
        assert FineTuneConfig.from_dict(ours).final_epoch == candidate.epoch


def test_early_stopping_is_off_as_it_would_look_at_fresh_pictures(tmp_path: Path):
    stopping = search_record({"values": [0.1, 0.5, 0.4, 0.4], "early_stopping_epochs": 2})
    plan = settle_plan(tmp_path / "confirm", stopping, 0, top=1, seeds=2)
    assert [item["config"]["early_stopping_epochs"] for item in plan.items()] == [0, 0]


def test_a_begun_plan_is_gone_on_with(tmp_path: Path):
    plan = plan_in(tmp_path / "confirm")
    assert plan_in(tmp_path / "confirm", None, None) == plan
    assert plan_in(tmp_path / "confirm", 2, None) == plan
    other = search_record({"values": [1.0]})  # the search has gone on meanwhile
    assert settle_plan(tmp_path / "confirm", other, 0, top=None, seeds=None) == plan


def test_other_numbers_than_the_begun_ones_are_all_refused_at_once(tmp_path: Path):
    plan_in(tmp_path / "confirm")
    with pytest.raises(UserError) as caught:
        plan_in(tmp_path / "confirm", 5, 4)
    assert [fault.split(",")[0] for fault in caught.value.faults] == ["--top is 5", "--seeds is 4"]
    assert "was begun with --seeds 3" in caught.value.faults[1]


def test_top_is_what_was_asked_for_even_where_there_is_less(tmp_path: Path):
    plan = plan_in(tmp_path / "confirm", 9)
    assert (plan.top, len(plan.candidates)) == (9, 3)
    assert plan_in(tmp_path / "confirm", 9) == plan


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format_version": 2}'])
def test_a_damaged_plan_is_told(tmp_path: Path, text: str):
    plan_in(tmp_path / "confirm")
    (tmp_path / "confirm" / "plan.json").write_text(text)
    with pytest.raises(UserError, match=r"plan.json cannot be read .* to start over"):
        read_plan(tmp_path / "confirm")


def test_a_plan_survives_json_whole(tmp_path: Path):
    plan = plan_in(tmp_path / "confirm")
    values = json.loads((tmp_path / "confirm" / "plan.json").read_text())
    assert type(plan).from_dict(values) == plan
    assert BOUNDS["seeds"][0] == 2  # one seed has no scatter

"""What a confirmation found, from records made by hand."""

import json

import pytest

from search.confirm.conclusion import conclude, confirmation_lines
from search.confirm.grid import ConfirmationPlan, choose_candidates
from tests.helpers.confirmed import confirmed_record, search_record

SEARCHED = search_record(
    {"values": [0.1, 0.2, 0.3, 0.80]},
    {"values": [0.1, 0.2, 0.79, 0.5]},
    {"values": [0.1, 0.2, 0.3, 0.60]},
    {"values": [0.1, 0.55], "status": "stopped"},
    {"values": [], "status": "failed"},
)
CLOSE = [[0.76, 0.78, 0.74], [0.75, 0.78, 0.75], [0.60, 0.61, 0.58]]


def plan(top: int = 3, seeds: tuple[int, ...] = (1000, 1001, 1002)) -> ConfirmationPlan:
    return ConfirmationPlan(top=top, candidates=choose_candidates(SEARCHED, top), seeds=seeds)


def concluded(figures, seconds=None, top=3):
    made = conclude(
        plan(top), confirmed_record(plan(top), figures, seconds=seconds), SEARCHED, seed=0
    )
    return json.loads(json.dumps(made, allow_nan=False))


def test_the_matrix_holds_each_configurations_figures_by_seed():
    result = concluded(CLOSE, [30.0, 10.0, 20.0])
    rows = result["configurations"]
    assert [row["figures"] for row in rows] == CLOSE
    assert [row["trial"] for row in rows] == [0, 1, 2]
    assert [row["epoch"] for row in rows] == [4, 3, 4]
    assert [row["selected"] for row in rows] == [0.80, 0.79, 0.60]
    assert rows[0]["mean"] == pytest.approx(0.76)
    assert rows[0]["sd"] == pytest.approx(0.02)
    assert [row["seconds"] for row in rows] == pytest.approx([30.0, 10.0, 20.0])


def test_of_a_tie_the_cheapest_is_taken():
    result = concluded(CLOSE, [30.0, 10.0, 1.0])
    assert result["tie_set"] == [0, 1]
    assert result["winner"] == 1
    assert result["verdict"] == (
        "a tie: trials 0 and 1 cannot be told apart with 3 fresh seeds; trial 1 is taken, the "
        "cheapest of them (10.0 s of training)"
    )
    assert [(c["best"], c["other"], c["significant"]) for c in result["comparisons"]] == [
        (0, 1, False),
        (0, 2, True),
    ]


def test_one_that_is_better_than_all_wins_however_dear():
    figures = [[0.70, 0.72, 0.68], [0.80, 0.82, 0.78], [0.60, 0.62, 0.58]]
    figures = [[v + 0.001 * (i * j) for j, v in enumerate(row)] for i, row in enumerate(figures)]
    result = concluded(figures, [1.0, 99.0, 1.0])
    assert result["winner"] == 1
    assert result["tie_set"] == [1]
    assert "trial 1 wins" in result["verdict"]
    assert "better than trials 0 and 2" in result["verdict"]


def test_a_training_that_failed_puts_its_configuration_out():
    result = concluded([[0.9, None, 0.9], *CLOSE[1:]])
    row = result["configurations"][0]
    assert row["out"] == "failed with seed 1001: out of luck"
    assert (row["figures"], row["mean"]) == ([0.9, None, 0.9], None)
    assert [c["other"] for c in result["comparisons"]] == [2]
    assert result["winner"] == 1
    assert result["optimism"]["trial"] == 1


def test_when_all_are_out_nobody_wins():
    result = concluded([[None, 0.5, 0.5]] * 3)
    assert (result["winner"], result["tie_set"], result["optimism"]) == (None, [], None)
    assert "no winner" in result["verdict"]
    assert list(confirmation_lines(result))[-1] == f"verdict      {result['verdict']}"


def test_one_configuration_alone_is_taken_without_a_comparison():
    result = concluded(CLOSE[:1], top=1)
    assert (result["winner"], result["comparisons"]) == (0, [])
    assert "no other configuration" in result["verdict"]
    assert "takes a second configuration" in "\n".join(confirmation_lines(result))


def test_the_meter_counts_every_trial_with_a_figure():
    meter = concluded(CLOSE)["optimism"]
    assert meter["trial"] == 0
    assert meter["num_candidates"] == 4  # the stopped one too, the failed one not
    assert meter["seen"] == pytest.approx(0.04)
    assert 0 < meter["expected"] < meter["expected_if_equal"]


def test_the_same_records_give_the_same_conclusion():
    first, second = concluded(CLOSE), concluded(CLOSE)
    assert first | {"created": 0} == second | {"created": 0}


def test_the_terminal_shows_it_aligned_and_says_what_three_seeds_are_worth():
    lines = list(confirmation_lines(concluded([[0.9, None, 0.9], *CLOSE[1:]], [300.0, 10.0, 20.0])))
    header = next(i for i, line in enumerate(lines) if "selected" in line and "seed 1000" in line)
    head, *rows = lines[header : header + 4]
    for row, name in ((0, "-"), (1, "0.780"), (2, "0.610")):
        end = head.index("seed 1001") + len("seed 1001")
        assert rows[row][:end].endswith(name)
    assert rows[0].endswith("out: failed with seed 1001: out of luck")
    assert rows[1].endswith("10.0")
    text = "\n".join(lines)
    assert "covers at most 75%; 95 % takes 6 seeds" in text
    assert max(map(len, lines)) <= 130

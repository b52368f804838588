"""What becomes of a fault: its line, its status, and the traceback that --debug shows."""

import signal
import sys
from collections.abc import Sequence

import pytest

from trainables.command import Parser, Stopped, called_as, nearest, run_main
from trainables.errors import RunError, UserError


def raising(error: BaseException):
    def main(arguments: Sequence[str]) -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (
            UserError("a is 1; allowed: 2", "b is 3"),
            2,
            "error: a is 1; allowed: 2\nerror: b is 3\n",
        ),
        (UserError("several\nlines"), 2, "error: several lines\n"),
        (RunError("the disk is full"), 1, "error: the disk is full\n"),
        (
            ZeroDivisionError("division by zero\nand more"),
            1,
            "error: ZeroDivisionError: division by zero; this was not foreseen; the same command "
            "with --debug shows where it happened\n",
        ),
        (KeyboardInterrupt(), 130, "stopped: by Ctrl-C\n"),
        (Stopped("at once", signum=signal.SIGINT), 130, "stopped: at once\n"),
        (Stopped("in order", signum=signal.SIGTERM), 143, "stopped: in order\n"),
    ],
)
def test_a_fault_is_a_line_and_a_status(error, status, told, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["command"])
    assert run_main(raising(error)) == status
    assert capsys.readouterr().err == told


@pytest.mark.parametrize("error", [UserError("wrong"), ZeroDivisionError("wrong")])
def test_only_debug_shows_the_traceback(error, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["command", "--debug"])
    run_main(raising(error))
    told = capsys.readouterr().err
    assert "Traceback (most recent call last)" in told
    assert told.splitlines()[-1].startswith("error: ")


def test_the_status_of_a_command_is_its_own(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["command"])
    assert run_main(lambda arguments: None) == 0
    assert run_main(lambda arguments: 1) == 1


def test_usage_shows_what_was_typed(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/bin/search"])
    assert called_as("search.lr_find") == "search lr-find"
    monkeypatch.setattr(sys, "argv", ["/somewhere/search/lr_find.py"])
    assert called_as("search.lr_find") == "python -m search.lr_find"


def test_only_a_near_name_is_suggested():
    assert nearest("--sede", ["--seed", "--name"]) == "; did you mean --seed?"
    assert nearest("--colour", ["--seed", "--name"]) == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["--toop", "3", "run"],
            "--toop is unknown; allowed: .* --help lists; did you mean --top?",
        ),
        (["run", "other"], "other is unknown"),
        (["--top", "many", "run"], "argument --top: invalid int value: 'many'"),
        ([], "the following arguments are required: run"),
    ],
)
def test_a_parser_refuses_in_one_line(words, told):
    parser = Parser("search.confirm", "`python -m search.confirm`: the best again.")
    parser.add_argument("run")
    parser.add_argument("--top", type=int)
    with pytest.raises(UserError, match=told) as caught:
        parser.parse_args(words)
    assert len(caught.value.faults) == 1
    assert parser.description == "The best again."

"""What README.md and docs/ say is so: commands parse, paths exist, links lead somewhere."""

import argparse
import re
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import search.settings.command_line
from search.__main__ import COMMANDS as search_commands
from search.__main__ import COMPLETION, script
from search.settings.settings import preset_settings
from tests.helpers.documents import DOCUMENTS, ROOT, Command, anchors, commands, links, spans
from trainables.command import SCRIPT, Parser

COMMANDS = [command for document in DOCUMENTS for command in commands(document)]
PYTHON = [command for command in COMMANDS if command.words[0].endswith("python")]
SEARCH = [command for command in COMMANDS if command.words[0] == SCRIPT]
OTHERS = [command for command in COMMANDS if command not in (*PYTHON, *SEARCH)]
ROOMS = ("analysis/", "docs/", "search/", "spaces/", "tests/", "trainables/", ".ci/")
TOOLS = {  # of others, and what a shell has itself
    *("$EDITOR", "cd", "chmod", "curl", "eval", "export", "git", "optuna-dashboard", "pip"),
    *("pre-commit", "ray", "source", "tensorboard"),
}
# By what a parser takes.
PLACEHOLDERS = {
    "COMMAND": "run",
    "SHELL": "bash",
    "TRIAL": "0",
    "IMAGE...": "IMAGE",
    "RUN...": "RUN",
}


class ParsedError(BaseException):
    """The arguments were accepted; nothing else of the command is run."""


@pytest.fixture
def only_parse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the entry points parse for real, and stop them there."""

    def stopping(parse: Any) -> Any:
        def stopped(*arguments: Any, **options: Any) -> None:
            with monkeypatch.context() as real:  # one parser may be built on the other
                real.setattr(argparse.ArgumentParser, "parse_args", parse_args)
                parse(*arguments, **options)
            raise ParsedError

        return stopped

    parse_args = argparse.ArgumentParser.parse_args
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stopping(parse_args))
    monkeypatch.setattr(Parser, "parse_args", stopping(Parser.parse_args))
    monkeypatch.setattr(
        search.settings.command_line,
        "parse_call",
        stopping(search.settings.command_line.parse_call),
    )
    # RUN and NAME stand for runs of the reader's.
    monkeypatch.setattr("search.settings.command_line._inherited", lambda first: {})
    monkeypatch.setattr(
        "search.settings.command_line._recorded", lambda first: preset_settings("laptop")
    )


@pytest.mark.timeout(240)  # the first command of a room imports its libraries
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the module is imported already
@pytest.mark.parametrize("command", PYTHON, ids=str)
def test_a_python_command_is_accepted_by_its_own_parser(
    command: Command, only_parse: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, flag, module, *arguments = command.words
    assert flag == "-m"
    if module in ("pip", "venv", "pytest"):
        return
    if command.is_inline and not arguments:
        place = ROOT / module.replace(".", "/")
        assert place.with_suffix(".py").is_file() or (place / "__main__.py").is_file()
        return
    check_arguments(module, arguments, monkeypatch)


@pytest.mark.timeout(240)  # as above
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("command", SEARCH, ids=str)
def test_a_search_command_is_in_the_table_and_accepted_by_its_own_parser(
    command: Command, only_parse: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, *arguments = (PLACEHOLDERS.get(word, word) for word in command.words[1:])
    if name == COMPLETION:
        assert script(arguments, [*search_commands])
        return
    assert name in search_commands
    if arguments or not command.is_inline:
        check_arguments(search_commands[name][0], arguments, monkeypatch)


def check_arguments(module: str, arguments: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a module's entry point up to the end of its parsing; fails where it refuses."""
    monkeypatch.setattr(sys, "argv", [module, *(PLACEHOLDERS.get(a, a) for a in arguments)])
    with pytest.raises((ParsedError, SystemExit)) as ended:
        runpy.run_module(module, run_name="__main__")
    if isinstance(ended.value, SystemExit):
        assert (ended.value.code, "--help" in arguments) == (0, True)


@pytest.mark.parametrize("command", OTHERS, ids=str)
def test_any_other_command_is_a_known_tool_or_a_target_of_the_makefile(command: Command) -> None:
    tool, *arguments = command.words
    if tool == "make":
        targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
        assert set(arguments) <= set(targets)
    else:
        assert Path(tool).name in TOOLS


def test_a_wrong_flag_or_value_would_be_found(only_parse: None, monkeypatch) -> None:
    for arguments in (["--num-trails", "3"], ["--num-trials", "0"], ["--preset", "huge"]):
        monkeypatch.setattr(sys, "argv", ["search.run", *arguments])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("search.run", run_name="__main__")
        assert ended.value.code == 2


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_paths_that_are_named_exist(document: Path) -> None:
    named = [span for span in spans(document.read_text()) if re.fullmatch(r"[\w./*-]+", span)]
    inside = [path for path in named if path.startswith(ROOMS)]
    assert [path for path in inside if not list(ROOT.glob(path.rstrip("/")))] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in links(document):
        path, _, anchor = target.partition("#")
        there = (document.parent / path).resolve() if path else document
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target

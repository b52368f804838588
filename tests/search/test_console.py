"""`search COMMAND`: the same commands under one name, and their completion in a shell."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from search.__main__ import COMMANDS, SCRIPTS, console, entry_point

ROOT = Path(__file__).parents[2]
# Of the bash that completes "search WORD...": what it offers, one a line.
COMPLETE = """
source {script}
COMP_WORDS=(search {words}); COMP_CWORD={last}; COMPREPLY=()
_search; printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def called(monkeypatch, capsys):
    """Calls the console script in this process: its status, output and errors."""

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["/somewhere/bin/search", *words])
        monkeypatch.setattr(sys, "path", [*sys.path])
        status = console()
        told = capsys.readouterr()
        return status, told.out, told.err

    return call


def test_alone_it_lists_its_commands(called):
    status, told, _ = called()
    assert status == 0
    assert all(f"  {name} " in told for name in COMMANDS)
    assert max(map(len, told.splitlines())) <= 80


def test_every_command_is_an_entry_point():
    for module, _ in COMMANDS.values():
        path = Path(str(entry_point(module).__file__))
        assert '__name__ == "__main__"' in path.read_text()


def test_it_hands_over_words_and_status(called, tmp_path):
    status, told, error = called("confirm", str(tmp_path))
    assert (status, told) == (2, "")
    assert f"error: {tmp_path} is no run folder" in error


def test_a_command_that_is_not_there_is_refused_with_the_nearest(called):
    status, _, error = called("cofnirm")
    assert status == 2
    assert error.startswith("error: command is 'cofnirm'; allowed: run, plan")
    assert error.endswith("did you mean confirm?\n")


def test_usage_says_what_was_typed(called, capsys):
    with pytest.raises(SystemExit, match="0"):
        called("confirm", "--help")
    assert capsys.readouterr().out.startswith("usage: search confirm")


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_completion_script_names_every_command(shell, called):
    status, script, _ = called("completion", shell)
    assert status == 0
    assert " ".join(COMMANDS) in script


def test_a_shell_without_a_script_is_refused(called):
    assert called("completion", "tcsh")[2].startswith("error: shell is tcsh; allowed: bash, zsh")


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not here")
def test_bash_completes_commands_and_flags(called, tmp_path):
    (tmp_path / "script").write_text(called("completion", "bash")[1])
    program = tmp_path / "bin" / "search"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m search "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}

    def offered(*words: str) -> list[str]:
        code = COMPLETE.format(script=tmp_path / "script", words=" ".join(words), last=len(words))
        told = subprocess.run(
            ["bash", "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        return told.stdout.split()

    assert offered("re") == ["report", "replay", "rerun"]
    assert offered("confirm", "--se") == ["--seeds"]
    assert set(offered("run", "--max")) == {"--max-concurrent", "--max-hours"}

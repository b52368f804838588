"""docs/command-line.md lists every command and every setting, and no flag that is not there."""

import re
from dataclasses import fields

import pytest

from search.__main__ import COMMANDS, COMPLETION, entry_point
from search.settings.command_line import Call
from search.settings.groups import GROUPS, flag_of
from tests.helpers.documents import ROOT, code_spans, table

DOCUMENT = ROOT / "docs" / "command-line.md"
ROWS = {row["command"].strip("`").split()[1]: row for row in table(DOCUMENT, "Commands")}


def test_every_command_has_a_row_in_the_order_of_the_overview():
    assert [*ROWS] == [*COMMANDS, COMPLETION]


@pytest.mark.parametrize("name", COMMANDS)
def test_its_flags_are_flags_of_the_command(name, capsys):
    flags = [span for span in code_spans(ROWS[name]["main flags"]) if span.startswith("--")]
    with pytest.raises(SystemExit) as ended:
        entry_point(COMMANDS[name][0]).main(["--help"])
    assert ended.value.code == 0
    taken = re.findall(r"--[a-z-]+", capsys.readouterr().out)
    assert set(flags) <= {*taken}


def test_the_groups_of_settings_have_every_flag_in_order():
    listed = [(row["group"], code_spans(row["flags"])) for row in table(DOCUMENT, "Settings")]
    assert [flags for _, flags in listed] == [
        [flag_of(field.name) for field in fields(group)] for group in (*GROUPS, Call)
    ]
    for (title, _), group in zip(listed, (*GROUPS, Call), strict=True):
        assert str(group.__doc__).lower().startswith(title), title

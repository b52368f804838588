"""The commands of README's section on clusters, which the tests here run as they stand."""

import re

from tests.cluster.hosts import ROOT

BLOCK = re.compile(r"^## On a cluster$.*?^```sh$\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def block() -> str:
    """The commands, a line each, with their comments."""
    found = BLOCK.search((ROOT / "README.md").read_text())
    assert found is not None
    return found[1]


def command(start: str) -> str:
    """The one command that begins so, without its comment."""
    lines = [line.partition("  #")[0].strip() for line in block().splitlines()]
    (found,) = (line for line in lines if line.startswith(start))
    return found

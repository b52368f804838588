"""What a run records of where it ran."""

import subprocess

from search.records.environment import git_commit
from tests.helpers.documents import ROOT


def test_the_commit_of_the_checkout_is_recorded():
    command = ["git", "rev-parse", "--short=12", "HEAD"]
    head = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert (git_commit() or "").removesuffix("-dirty") == head.stdout.strip()

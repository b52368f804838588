"""What the README tells a user to do on machines of their own, done on three hosts."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.hosts import SHARED, wait_for
from tests.cluster.search import NUM_TRIALS
from tests.faults.invariants import check_record

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


def test_the_doctor_examines_every_host(user):
    status, findings = doctor(user, f"--storage {SHARED}/runs")
    assert status == 0
    assert [f for f in findings if f["level"] == "fault"] == []
    examined = {f["node"].split()[0] for f in findings if f["check"] == "storage"}
    assert examined == {host.ip for host in user.network.hosts}


def test_the_doctor_finds_a_storage_that_is_not_one(user):
    """Every host has a /tmp of its own."""
    status, findings = doctor(user, "--storage /tmp/runs")
    assert status == 1
    assert {f["check"] for f in findings if f["level"] == "fault"} == {"storage"}


def doctor(user, flags: str) -> tuple[int, list[dict[str, str]]]:
    command = f"cd ~/two-phase-search && python -m search.doctor --preset demo --json {flags}"
    done = user.exec(command)
    told = done.stdout  # with what ssh and Ray say around it
    print(told)
    findings = json.loads(told[told.index("{\n") : told.rindex("}") + 1])["findings"]
    return done.returncode, findings


def test_tensorboard_comes_through_ssh(search, tensorboard):
    search.wait_for_reports(1)

    def runs() -> list[str]:
        return json.loads(tensorboard().stdout)

    wait_for(runs, seconds=120, what="a trial in TensorBoard")
    assert all(name.startswith("hosts/") for name in runs())


def test_it_goes_on_with_one_host_cut_off_and_one_killed_and_is_resumed(user, search):
    _, first, second = user.network.hosts
    first.cut()
    second.kill()
    search.wait_for_reports(4)  # those of lost trials, trained on the head, among them
    search.kill()
    first.mend()
    second.boot()
    search.start()
    assert search.end(seconds=400) == 0, search.told
    check_record(search, num_trials=NUM_TRIALS, max_concurrent=3)


def test_the_token_is_nowhere_but_in_its_file(user, search):
    hosts = user.network.hosts
    folders = [folder for host in hosts for folder in (host.home, host.tmp)]
    contents = dict(files_under(*folders, user.network.shared))
    holders = [path for path, content in contents.items() if user.token.encode() in content]
    assert [path.name for path in holders] == ["auth_token"] * len(hosts)
    assert {path.stat().st_mode & 0o777 for path in holders} == {0o600}
    assert {"gcs_server.out", "journal.jsonl"} <= {path.name for path in contents}
    assert user.token not in search.told


def test_ray_down_ends_the_head(user):
    user.down()
    for words in ("gcs_server", "raylet", "dashboard"):
        assert not user.network.hosts[0].processes(words)


def files_under(*folders: Path) -> Iterator[tuple[Path, bytes]]:
    """All files with their contents; Ray may delete some meanwhile."""
    for path in (path for folder in folders for path in folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink():
                yield path, path.read_bytes()

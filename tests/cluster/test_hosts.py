"""What the README tells a user to do on machines of their own, done on three hosts."""

import json

import pytest

from tests.cluster.hosts import wait_for
from tests.cluster.search import NUM_TRIALS
from tests.faults.invariants import check_record

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]


def test_tensorboard_comes_through_ssh(search, tensorboard):
    search.wait_for_reports(1)
    wait_for(lambda: json.loads(tensorboard().stdout), seconds=60, what="a trial in TensorBoard")
    assert all(name.startswith("hosts/trials/trial_0") for name in json.loads(tensorboard().stdout))


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
    token = user.token.encode()
    folders = [folder for host in user.network.hosts for folder in (host.home, host.tmp)]
    files = [
        path
        for folder in (*folders, user.network.shared)
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    ]
    holders = [path for path in files if token in path.read_bytes()]
    assert len(holders) == len(user.network.hosts)
    assert {path.name for path in holders} == {"auth_token"}
    assert {oct(path.stat().st_mode & 0o777) for path in holders} == {"0o600"}
    assert any(path.name == "gcs_server.out" for path in files)  # Ray's logs were among them
    assert user.token not in search.told


def test_ray_down_ends_it(user):
    user.down()
    head, *workers = user.network.hosts
    assert not head.processes("gcs_server")
    for host in (head, *workers):  # workers end by themselves when they have no head any more
        wait_for(lambda host=host: not host.processes("raylet"), seconds=120, what=f"{host.name}")

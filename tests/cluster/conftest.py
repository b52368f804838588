"""Three hosts that are a cluster, and a search on it: made once for all tests here."""

import subprocess

import pytest

from tests.cluster.hosts import Network, missing, wait_for
from tests.cluster.search import ClusterSearch
from tests.cluster.user import User


@pytest.fixture(scope="package")
def user(tmp_path_factory):
    """Somebody whose `ray up` has brought up three hosts."""
    if reason := missing():
        pytest.skip(reason)
    network = Network(("head", "worker-1", "worker-2"), tmp_path_factory.mktemp("hosts"))
    try:
        user = User(network)
        user.up()
        user.wait_for_nodes(3)
        yield user
    finally:
        network.close()


@pytest.fixture(scope="package")
def search(user, tmp_path_factory):
    """A search, started on the head, that trains on all three hosts."""
    search = ClusterSearch(user, tmp_path_factory.mktemp("search"))
    search.start()
    for host in user.network.hosts:
        wait_for(
            lambda host=host: not search.runs or host.processes("ray::RayTrainWorker"),
            seconds=300,
            what=f"a trial on {host.name}",
        )
    assert search.runs, search.told
    yield search
    search.kill()


@pytest.fixture(scope="package")
def tensorboard(user, search, tmp_path_factory):
    """TensorBoard on the head, and its port on the laptop: the process and what it printed."""
    log = tmp_path_factory.mktemp("tensorboard") / "told.txt"
    process = user.exec_beside("tensorboard --logdir /mnt/shared/runs", log, forward=6006)
    ask = "python -c 'import urllib.request as r; print(r.urlopen(\"{}\").read().decode())'"
    url = ask.format("http://127.0.0.1:6006/data/runs")

    def answer() -> subprocess.CompletedProcess[str]:
        return user.laptop.run(url)

    wait_for(lambda: answer().returncode == 0, seconds=120, what="TensorBoard")
    yield answer
    process.terminate()
    process.wait(10)

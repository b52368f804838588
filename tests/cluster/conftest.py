"""Three hosts that are a cluster, and a search on it: made once for all tests here."""

import subprocess

import pytest

from tests.cluster.hosts import Network, missing, wait_for
from tests.cluster.readme import command
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
def tensorboard(user, tmp_path_factory):
    """TensorBoard on the head, its port on the laptop; asks it there for the runs that it shows."""
    log = tmp_path_factory.mktemp("tensorboard") / "told.txt"
    process = user.beside(command("ray exec cluster-local.yaml -p 6006"), log)
    url = "http://127.0.0.1:6006/data/runs"
    code = f"import urllib.request as r; print(r.urlopen('{url}').read().decode())"

    def ask() -> subprocess.CompletedProcess[str]:
        return user.laptop.run(f'python -c "{code}"')

    wait_for(lambda: ask().returncode == 0, seconds=120, what="TensorBoard")
    yield ask
    user.network.hosts[0].signal("TERM", r"\S*python\S* \S*tensorboard")
    process.wait(60)

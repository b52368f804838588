"""One cluster for all fault tests, and one search on it that nothing disturbs."""

from pathlib import Path

import pytest

from tests.faults.harness import NUM_TRIALS, SETTINGS, Search
from tests.faults.local_cluster import LocalCluster


@pytest.fixture(scope="package")
def cluster():
    cluster = LocalCluster()
    yield cluster
    cluster.close()


@pytest.fixture
def search(cluster, tmp_path):
    """A maker of searches on the cluster that are gone when the test ends."""
    made = []

    def make(*flags: str, storage: Path | None = None) -> Search:
        made.append(Search(cluster, [*SETTINGS, *flags], tmp_path, storage=storage))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="package")
def undisturbed(cluster, tmp_path_factory):
    """A search of one trial at a time, from beginning to end."""
    flags = [*SETTINGS, "--num-trials", str(NUM_TRIALS), "--max-concurrent", "1"]
    search = Search(cluster, flags, tmp_path_factory.mktemp("undisturbed"))
    search.start()
    try:
        assert search.end() == 0, search.told
    finally:
        search.close()
    return search

"""Every kind of process is killed at random moments of both phases; the search comes out the same.

`pytest -m slow tests/faults -rP` prints what was killed when, and how long it took to go on. The
number of rounds of kills is in the environment: `KILL_ROUNDS=3`, with as many more trials.
"""

import numpy as np
import pytest

from tests.faults.harness import KILL_ROUNDS
from tests.faults.invariants import assert_same_tables, check_record
from tests.faults.local_cluster import wait_for
from tests.faults.strikes import strike

pytestmark = [pytest.mark.slow, pytest.mark.ray]

KINDS = ("worker", "controller", "driver", "exchange", "node", "search")


@pytest.mark.timeout(600 * (1 + KILL_ROUNDS))
def test_a_search_that_is_killed_all_the_time_ends_as_if_nothing_had_happened(
    search, cluster, undisturbed
):
    run = search(*undisturbed.flags)
    run.start()
    rng = np.random.default_rng(0)
    kinds = [kind for _ in range(KILL_ROUNDS) for kind in rng.permutation((*KINDS, "everything"))]
    strikes = strike_all(run, cluster, kinds, rng)
    assert run.end() == 0, run.told
    check_record(run, num_trials=len(undisturbed.record.trials), max_concurrent=1)
    assert_same_tables(run.folder, undisturbed.folder)
    assert {struck.kind for struck in strikes} == {*KINDS, "everything"}
    assert {struck.phase for struck in strikes} == {1, 2}


@pytest.mark.timeout(600 * (1 + KILL_ROUNDS))
def test_two_trials_at_a_time_keep_the_record_whole_under_kills(search, cluster):
    num_trials = 10 * KILL_ROUNDS
    run = search("--num-trials", str(num_trials), "--max-concurrent", "2", "--reuse", "auto")
    run.start()
    # Ray keeps what a controller had reserved for workers that were never to come up.
    wait_for(lambda: cluster.actors("controller"), seconds=60, what="a controller")
    assert not cluster.actors("worker")
    assert cluster.kill_actor("controller")
    rng = np.random.default_rng(1)
    kinds = [kind for _ in range(KILL_ROUNDS) for kind in rng.permutation(KINDS)]
    strikes = strike_all(run, cluster, kinds, rng)
    assert run.end() == 0, run.told
    check_record(run, num_trials=num_trials, max_concurrent=2)
    assert len(strikes) >= 3  # one slot comes back while the other one's trials go on


def strike_all(run, cluster, kinds, rng):
    """One kill after the other, until the search has ended."""
    strikes = []
    for kind in kinds:
        struck = strike(run, cluster, str(kind), rng)
        if struck is None:
            break
        print(struck, flush=True)
        strikes.append(struck)
    return strikes

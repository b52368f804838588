"""Which placement groups nobody would give back."""

import pytest
from ray.core.generated.gcs_pb2 import PlacementGroupTableData

from trainables.orphans import is_orphan

JOB = "01000000"


def group(**fields) -> PlacementGroupTableData:
    """One that a dead controller of this job has left."""
    described = {
        "creator_job_id": bytes.fromhex(JOB),
        "creator_actor_id": b"\x07" * 16,
        "creator_actor_dead": True,
        "state": PlacementGroupTableData.CREATED,
    }
    return PlacementGroupTableData(**(described | fields))


@pytest.mark.parametrize("state", ["PENDING", "CREATED", "RESCHEDULING"])
def test_what_a_dead_controller_reserved_is_an_orphan(state):
    assert is_orphan(group(state=PlacementGroupTableData.PlacementGroupState.Value(state)), JOB)


@pytest.mark.parametrize(
    "difference",
    [
        {"creator_actor_dead": False},
        {"creator_job_id": bytes.fromhex("02000000")},
        {"creator_actor_id": b"\xff" * 16},  # none: Tune's own, made by the job's process
        {"state": PlacementGroupTableData.REMOVED},
    ],
    ids=["alive", "of another job", "of no actor", "removed"],
)
def test_all_others_stay(difference):
    assert not is_orphan(group(**difference), JOB)

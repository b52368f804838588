"""Which placement groups nobody would give back."""

import pytest
from ray.core.generated.gcs_pb2 import PlacementGroupTableData

from trainables.workers.slot import is_orphan

JOB = "01000000"
CREATOR = b"\x07" * 16


def group(**fields) -> PlacementGroupTableData:
    """One that a controller of this job has made."""
    described = {
        "creator_job_id": bytes.fromhex(JOB),
        "creator_actor_id": CREATOR,
        "state": PlacementGroupTableData.CREATED,
    }
    return PlacementGroupTableData(**(described | fields))


def is_dead(actor_id: str) -> bool:
    assert actor_id == CREATOR.hex()
    return True


@pytest.mark.parametrize("noticed", [True, False])
@pytest.mark.parametrize("state", ["PENDING", "CREATED", "RESCHEDULING"])
def test_what_a_dead_controller_reserved_is_an_orphan(state, noticed):
    left = group(
        state=PlacementGroupTableData.PlacementGroupState.Value(state), creator_actor_dead=noticed
    )
    assert is_orphan(left, JOB, is_dead)


def test_what_a_living_one_reserved_is_not():
    assert not is_orphan(group(), JOB, lambda actor_id: False)


@pytest.mark.parametrize(
    "difference",
    [
        {"creator_job_id": bytes.fromhex("02000000")},
        {"creator_actor_id": b"\xff" * 16},  # none: Tune's own, made by the job's process
        {"state": PlacementGroupTableData.REMOVED},
    ],
    ids=["of another job", "of no actor", "removed"],
)
def test_all_others_stay(difference):
    assert not is_orphan(group(**difference), JOB, is_dead)

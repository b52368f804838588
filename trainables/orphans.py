"""Cores and GPUs that nobody would give back: the placement groups of dead Ray Train controllers.

Ray keeps a placement group until both its creator and its creator's job have died, and a search
outlives the controllers of its slots. Ray Train's own cleaner knows only of groups whose workers
have come up, and asks an interface that has no answer where the machine runs two clusters.
"""

from collections.abc import Callable

import ray
from ray import PlacementGroupID
from ray._private.state import state
from ray.core.generated.gcs_pb2 import PlacementGroupTableData
from ray.util.placement_group import PlacementGroup, remove_placement_group


def free_orphans() -> None:
    """Remove the placement groups of this job whose creator, an actor, is dead."""
    job = ray.get_runtime_context().get_job_id()
    for line in state._connect_and_get_accessor().get_placement_group_table():
        group = PlacementGroupTableData.FromString(line)
        if is_orphan(group, job, actor_is_dead):
            remove_placement_group(PlacementGroup(PlacementGroupID(group.placement_group_id)))


def actor_is_dead(actor_id: str) -> bool:
    """Whether an actor (hex) that has once lived is dead; Ray forgets the oldest dead ones."""
    found = state.actor_table(actor_id)
    return not found or found["State"] == "DEAD"


def is_orphan(
    group: PlacementGroupTableData, job: str, actor_is_dead: Callable[[str], bool]
) -> bool:
    """Whether it is of this job (hex), was created by an actor that is dead, and is still there.

    What the job's own process creates, as Tune does, has no creating actor. The group's own
    `creator_actor_dead` is not asked: a group whose creator was dead has been seen to pass for one
    whose creator lives, when the two happened at about the same time.
    """
    return (
        group.creator_job_id.hex() == job
        and group.state != PlacementGroupTableData.REMOVED
        and bool(group.creator_actor_id.strip(b"\xff"))
        and actor_is_dead(group.creator_actor_id.hex())
    )

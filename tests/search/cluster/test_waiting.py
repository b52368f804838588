"""What is told of Ray's autoscalers, from what they write down."""

from ray.autoscaler.v2.schema import ClusterStatus, LaunchRequest, NodeInfo

from search.cluster.waiting import NOTHING, describe_v1, describe_v2


def test_the_first_autoscaler_tells_what_it_starts_and_what_failed():
    unavailable = {"category": "InsufficientInstanceCapacity", "description": "no g5.2xlarge"}
    report = {
        "pending_launches": {"gpu_worker": 2},
        "pending_nodes": [["10.0.0.7", "gpu_worker", "setting-up"]],
        "failed_nodes": [],
        "node_availability_summary": {
            "node_availabilities": {
                "head": {"is_available": True, "unavailable_node_information": None},
                "gpu_worker": {"is_available": False, "unavailable_node_information": unavailable},
            }
        },
    }
    assert describe_v1({"autoscaler_report": report}) == (
        "2 gpu_worker requested; 1 gpu_worker starting; "
        "gpu_worker failed (InsufficientInstanceCapacity: no g5.2xlarge)"
    )


def test_the_second_one_tells_the_same():
    node = NodeInfo("g5.2xlarge", "gpu_worker", "i-1", "10.0.0.7")
    status = ClusterStatus(
        pending_launches=[
            LaunchRequest("g5.2xlarge", "gpu_worker", 2, LaunchRequest.Status.PENDING, 0)
        ],
        failed_launches=[
            LaunchRequest(
                "g5.2xlarge", "gpu_worker", 1, LaunchRequest.Status.FAILED, 0, 1, "no capacity"
            )
        ],
        pending_nodes=[node],
    )
    assert describe_v2(status) == (
        "2 gpu_worker requested; 1 gpu_worker starting; gpu_worker failed (no capacity)"
    )


def test_an_autoscaler_that_does_nothing_is_told_too():
    assert describe_v1({}) == describe_v2(ClusterStatus()) == NOTHING

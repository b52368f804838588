"""Which kind of fault ended a trial."""

import errno

import pytest
import torch
from ray.exceptions import ActorUnavailableError
from ray.exceptions import OutOfMemoryError as KilledByRay
from ray.train.v2._internal.exceptions import UserExceptionWithTraceback

from trainables.errors import UserError
from trainables.storage.store import StoreError
from trainables.workers.failures import describe, is_transient


def raised_by_the_cpu_allocator() -> RuntimeError:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**60)
    return raised.value


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 90 GiB"),
        raised_by_the_cpu_allocator(),
        MemoryError(),
        KilledByRay("the node ran low on memory"),
    ],
    ids=["CUDA", "CPU", "Python", "Ray"],
)
def test_out_of_memory(error):
    assert describe(error)["kind"] == "out_of_memory"
    wrapped = UserExceptionWithTraceback(error, "Traceback (most recent call last): ...")
    assert describe(wrapped) == describe(error)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("Error writing bytes to file. [errno 28] No space left on device"),
    ],
)
def test_a_full_disk(error):
    assert describe(error)["kind"] == "disk_full"


def test_any_other_fault_has_one_line():
    told = describe(UserError("weights is 'x'; allowed: a file", "second fault"))
    assert told["kind"] == "error"
    assert told["cause"] == "UserError: weights is 'x'; allowed: a file; second fault"
    remote = RuntimeError("Traceback (most recent call last):\n  File ...\nValueError: 3")
    assert describe(remote)["cause"] == "RuntimeError: ValueError: 3"
    assert describe(RuntimeError())["cause"] == "RuntimeError: no message"


def test_a_fault_of_a_device_is_worth_a_fresh_process():
    assert is_transient(torch.AcceleratorError("CUDA error: uncorrectable ECC error"))
    assert not is_transient(RuntimeError("shape mismatch"))


def test_a_node_that_does_not_answer_for_a_while_is_no_fault_of_the_trial():
    assert is_transient(ActorUnavailableError("no answer", b"0" * 16))


def test_a_store_that_is_lost_is_no_fault_of_the_trial():
    told = describe(StoreError("s3://runs/x cannot be used (gone, tried for 120 s)"))
    assert told["kind"] == "store_lost"
    assert "s3://runs/x cannot be used (gone, tried for 120 s)" in told["cause"]

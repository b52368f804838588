"""Where a command works on a run: in its folder, or in a copy of what a store has.

The copy is a temporary folder, so each session begins with what the store has and with nothing
else; what a killed one had not pushed yet is told once more by the checkpoints, which are pushed
before their epoch is reported.
"""

import atexit
import functools
import json
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from trainables.errors import UserError, refuse
from trainables.storage.layout import BEST, EXPERIMENT, FINAL
from trainables.storage.lease import Lease
from trainables.storage.mirror import Mirror, Pusher
from trainables.storage.store import PATIENCE_S, Store, StoreError, check_uri, is_uri

NAMES_A_CHECKPOINT = (BEST, FINAL)
LAST_TRY_S = 10.0  # for the last push, where one before has failed already


class WorkingCopy:
    """A run as a folder of this machine.

    Attributes:
        address: as a user types it: a path or a URI.
        path: the folder to work in.
        mirror: of a run in a store.
        fault: why nothing more is pushed, if so.
        on_loss: told of it at once, from another thread.
    """

    def __init__(self, address: str, path: Path, mirror: Mirror | None = None) -> None:
        self.address, self.path, self.mirror = address, path, mirror
        self.fault: str | None = None
        self.on_loss: Callable[[str], None] = lambda reason: None

    def shown(self, path: Path) -> str:
        """A path in the folder as a user finds it."""
        if self.mirror is None:
            return str(path)
        return "/".join((self.address, *path.relative_to(self.path).parts))

    def lose(self, reason: str) -> None:
        """The store takes nothing more; `on_loss` is told."""
        self.fault = reason
        self.on_loss(reason)


@contextmanager
def working_copy(address: str, *, checkpoints: bool = True) -> Iterator[WorkingCopy]:
    """Work on a run: pull it, hold its lease, push what the body changes, and all at the end.

    A folder is worked on as it is, without any of that.

    Args:
        address: path or URI of a run.
        checkpoints: bring those, too, that best.json and final.json name.

    Raises:
        UserError: the URI is wrong, the store cannot be used, or another process works on it; or
            what the body made could not be pushed, and then the copy is kept.
    """
    if not is_uri(address):
        yield WorkingCopy(address, Path(address))
        return
    check_writable(address)
    mirror = _new_mirror(address)
    copy = WorkingCopy(mirror.store.uri, mirror.folder, mirror)
    lease = Lease(mirror.store)
    try:
        with _one_line():
            lease.acquire()
            _pull(mirror, checkpoints=checkpoints)
        with _pushed(copy, mirror, lease):
            yield copy
    finally:
        if copy.fault is None:
            shutil.rmtree(mirror.folder.parent, ignore_errors=True)


@contextmanager
def _pushed(copy: WorkingCopy, mirror: Mirror, lease: Lease) -> Iterator[None]:
    """Push what the body changes; then give the lease back, or say what is not in the store."""
    pusher = Pusher(mirror, lease, copy.lose)
    try:
        yield
    finally:
        pusher.close()
        _push_the_rest(copy, mirror, lease)
    refuse([copy.fault] if copy.fault else [])


def _push_the_rest(copy: WorkingCopy, mirror: Mirror, lease: Lease) -> None:
    if copy.fault:
        mirror.store.patience_s = LAST_TRY_S
    try:
        lease.beat()
        mirror.push()
        if (mirror.folder / EXPERIMENT).exists():
            lease.give_back()
        else:
            lease.remove()  # of a run that was never made nothing stays
        copy.fault = None  # the store is back
    except StoreError as error:
        copy.fault = str(error)
        print(f"note         what {copy.address} lacks is kept in {copy.path}", file=sys.stderr)


def _pull(mirror: Mirror, *, checkpoints: bool) -> None:
    mirror.pull()
    for name in NAMES_A_CHECKPOINT if checkpoints else ():
        path = mirror.folder / name
        if path.exists():
            mirror.pull_checkpoint(json.loads(path.read_text())["checkpoint"])


@functools.cache
def fetched(address: str, *, checkpoints: bool = False) -> WorkingCopy:
    """A copy to read of a run in a store, once a process; of a folder, the folder.

    The copy is gone when the process ends.

    Args:
        address: path or URI of a run.
        checkpoints: bring those, too, that best.json and final.json name.

    Raises:
        UserError: the URI is wrong or the store cannot be used.
    """
    if not is_uri(address):
        return WorkingCopy(address, Path(address))
    with _one_line():
        mirror = _new_mirror(address, patience_s=0)
    atexit.register(shutil.rmtree, mirror.folder.parent, ignore_errors=True)
    with _one_line():
        _pull(mirror, checkpoints=checkpoints)
    return WorkingCopy(mirror.store.uri, mirror.folder, mirror)


def check_writable(uri: str) -> None:
    """UserError where a store does not take an object and give it back."""
    check_uri(uri)
    key = f".writable-{uuid.uuid4().hex}"
    with _one_line():
        store = Store(uri, patience_s=0)
        store.put(key, b"")
        store.delete([key])


def _new_mirror(address: str, *, patience_s: float = PATIENCE_S) -> Mirror:
    check_uri(address)
    store = Store(address, patience_s=patience_s)
    folder = Path(tempfile.mkdtemp(prefix="two-phase-search-"))
    return Mirror(folder / store.uri.rpartition("/")[2], store)


@contextmanager
def _one_line() -> Iterator[None]:
    """A store's fault at a command's beginning is one line to its user."""
    try:
        yield
    except StoreError as error:
        raise UserError(
            f"{error}; allowed: a bucket that can be reached and written, with the endpoint and "
            "the credentials in the environment (AWS_ENDPOINT_URL, AWS_PROFILE, ...)"
        ) from error

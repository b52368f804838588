"""One writer at a time in a store, where a killed one's lock is not freed by any system.

A lease is an object `.lease/NUMBER` that its holder writes anew every few seconds. Who comes next
watches the newest one: it beats, and he is refused; it stands still for long enough, or says that
it was given back, and he creates the next number, which a store does for one of several at a time
(`If-None-Match`). Numbers only grow, so a holder that slept too long finds a higher one and stops
writing. No clocks are compared.
"""

import json
import os
import socket
import time
import uuid

from trainables.errors import UserError
from trainables.storage.store import Store, StoreError

FOLDER = ".lease"
BEAT_S = 5.0  # how often a holder shows that it lives
EXPIRY_S = 20.0  # a lease that stands still for so long is free
LOOK_S = 1.0


class LostLeaseError(StoreError):
    """Another writer has taken over; this one must write nothing more."""


class Lease:
    """The right to write below a store's URI, once `acquire` has returned."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._holder = {"host": socket.gethostname(), "pid": os.getpid(), "id": uuid.uuid4().hex}
        self._number, self._beats = 0, 0

    def acquire(self) -> None:
        """Take the lease; waits for up to EXPIRY_S where its last holder did not give it back.

        Raises:
            UserError: another process holds it.
        """
        newest = self._newest()
        if newest:
            self._wait_until_free(newest)
        self._number = newest + 1
        if not self._store.create(self._key(self._number), self._content()):
            raise self._refusal(self._number)
        self._store.delete(key for key in self._store.sizes(FOLDER) if key < self._key(newest + 1))

    def beat(self) -> None:
        """Show that the holder lives.

        Raises:
            LostLeaseError: another one has taken the lease.
        """
        if self._newest() != self._number:
            raise LostLeaseError(
                f"{self._store.uri} was taken over by another process, because this one was silent "
                f"for {EXPIRY_S:.0f} s"
            )
        self._beats += 1
        self._store.put(self._key(self._number), self._content())

    def give_back(self) -> None:
        """Free it for the next one at once."""
        self._store.put(self._key(self._number), self._content(given_back=True))

    def remove(self) -> None:
        """Leave nothing behind, where nothing was written below the URI."""
        self._store.delete([self._key(self._number)])

    def _wait_until_free(self, number: int) -> None:
        seen, started = self._store.read(self._key(number)), time.monotonic()
        if seen is None or json.loads(seen)["given_back"]:
            return
        print(f"waiting      for the last process on {self._store.uri}: {EXPIRY_S:.0f} s at most")
        while time.monotonic() - started < EXPIRY_S:
            time.sleep(LOOK_S)
            now = self._store.read(self._key(number))
            if now is None or json.loads(now)["given_back"]:
                return
            if now != seen:
                raise self._refusal(number)

    def _newest(self) -> int:
        return max((int(key.rpartition("/")[2]) for key in self._store.sizes(FOLDER)), default=0)

    def _content(self, *, given_back: bool = False) -> bytes:
        return json.dumps({**self._holder, "beats": self._beats, "given_back": given_back}).encode()

    def _refusal(self, number: int) -> UserError:
        content = json.loads(self._store.read(self._key(number)) or b"{}")
        who = f"process {content['pid']} on {content['host']}" if content else "another process"
        return UserError(
            f"{self._store.uri} is in use by {who}; allowed: one search, confirmation, export or "
            "report at a time; wait for it, or end that process"
        )

    @staticmethod
    def _key(number: int) -> str:
        return f"{FOLDER}/{number:06d}"

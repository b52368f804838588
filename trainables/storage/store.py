"""Objects under a URI, each written whole or not at all, tried again where a fault may pass.

fsspec (s3fs for S3) and not pyarrow.fs, because it can create an object only where there is none
(S3's `If-None-Match`), which one writer at a time is built on. Endpoint, region and credentials are
those of the environment (AWS_ENDPOINT_URL, AWS_PROFILE, an instance's role, ...), read by botocore
alone: no setting and no file of a run holds them.
"""

import errno
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from trainables.errors import UserError

SCHEMES = ("s3",)
PATIENCE_S = 120.0  # a store that cannot be reached is tried again for so long
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0  # between two tries; each pause is twice the last one
# s3fs lists anew each time: another process may have written meanwhile.
OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {
        "config_kwargs": {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 2}}
    }
}
BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"  # S3's rule
# Faults of the network or the store, by the package that raises them; all others are ours.
NETWORK = ("botocore", "aiobotocore", "aiohttp", "asyncio", "fsspec")
Result = TypeVar("Result")


class StoreError(OSError):
    """The store did not do it, for good; the text says which store, and why."""

    def __init__(self, told: str) -> None:
        super().__init__(errno.EIO, told)

    def __str__(self) -> str:
        return str(self.strerror)

    def __reduce__(self) -> tuple[type["StoreError"], tuple[str]]:
        return StoreError, (str(self),)  # from a worker to its driver


def is_uri(address: str) -> bool:
    """Whether an address names a store and not a folder."""
    return "://" in address


def check_uri(uri: str) -> None:
    """UserError where a URI names no place in a store that we know."""
    scheme, _, place = uri.partition("://")
    if scheme not in SCHEMES or not re.fullmatch(rf"{BUCKET}(/[^/?#\s]+)*/?", place):
        raise UserError(f"storage is {uri!r}; allowed: a folder, or s3://BUCKET/PREFIX")


class Store:
    """The objects below a URI; a key is a path from there, with "/" between its parts.

    Args:
        uri: such as s3://bucket/runs/demo.
        patience_s: how long a fault that may pass is tried again; 0: not at all.

    Raises:
        StoreError: the package that speaks this scheme is not installed.
    """

    def __init__(self, uri: str, *, patience_s: float = PATIENCE_S) -> None:
        import fsspec

        self.uri, self.patience_s = uri.rstrip("/"), patience_s
        options = OPTIONS.get(uri.partition("://")[0], {})
        try:
            self._files, self._root = fsspec.url_to_fs(
                self.uri, use_listings_cache=False, skip_instance_cache=True, **options
            )
        except ImportError as error:
            raise StoreError(
                f"{uri} needs a package that is not here ({error}): "
                "`pip install -e '.[s3]'` in the checkout installs it for S3"
            ) from error

    def sizes(self, under: str = "") -> dict[str, int]:
        """Bytes of each object below `under`, by key, sorted."""

        try:
            found = self._persist(lambda: self._files.find(self._path(under), detail=True))
        except FileNotFoundError as error:  # the bucket: an absent prefix is an empty one
            raise StoreError(f"{self.uri} cannot be used ({_first_line(error)})") from error
        start = len(self._root) + 1
        return {path[start:]: entry["size"] for path, entry in sorted(found.items())}

    def exists(self, key: str) -> bool:
        return self._persist(lambda: bool(self._files.exists(self._path(key))))

    def read(self, key: str) -> bytes | None:
        """The contents of an object; None where there is none."""
        try:
            return self._persist(lambda: bytes(self._files.cat_file(self._path(key))))
        except FileNotFoundError:
            return None

    def get(self, key: str, path: Path) -> None:
        """Bring an object to a file, whole or not at all; FileNotFoundError where there is none."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        try:
            self._persist(lambda: self._files.get_file(self._path(key), str(part)))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def put(self, key: str, content: bytes | Path) -> None:
        """Write an object, whole or not at all; FileNotFoundError where the file is gone."""

        def write() -> None:
            if isinstance(content, bytes):
                self._files.pipe_file(self._path(key), content)
            else:
                self._files.put_file(str(content), self._path(key))

        try:
            self._persist(write)
        except FileNotFoundError as error:
            if isinstance(content, Path) and not content.exists():
                raise
            raise StoreError(f"{self.uri} cannot be used ({_first_line(error)})") from error

    def create(self, key: str, content: bytes) -> bool:
        """Write an object unless there is one; whether it was this call that wrote it."""
        try:
            self._persist(lambda: self._files.pipe_file(self._path(key), content, mode="create"))
        except FileExistsError:
            # Of a try whose answer was lost on its way, the next one finds the object there.
            return self.read(key) == content
        except FileNotFoundError as error:
            raise StoreError(f"{self.uri} cannot be used ({_first_line(error)})") from error
        return True

    def delete(self, keys: Iterable[str]) -> None:
        """Take objects away; those that are gone already do not matter."""
        paths = [self._path(key) for key in keys]
        if paths:
            try:
                self._persist(lambda: self._files.rm(paths))
            except FileNotFoundError:
                return

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}" if key else str(self._root)

    def _persist(self, call: Callable[[], Result]) -> Result:
        """Call until it succeeds, or until a fault that may pass has lasted too long.

        Raises:
            FileNotFoundError, FileExistsError: at once, for the caller to judge.
            StoreError: no rights, or nothing reached for `patience_s`.
        """
        started, pause = time.monotonic(), FIRST_PAUSE_S
        while True:
            try:
                return call()
            except (FileNotFoundError, FileExistsError):
                raise
            except Exception as error:
                if not _is_of_the_store(error):
                    raise
                waited = time.monotonic() - started
                if not _may_pass(error) or waited + pause > self.patience_s:
                    tried = f", tried for {waited:.0f} s" if waited > 1 else ""
                    told = f"{self.uri} cannot be used ({_first_line(error)}{tried})"
                    raise StoreError(told) from error
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)


def _is_of_the_store(error: Exception) -> bool:
    packages = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return isinstance(error, OSError) or not packages.isdisjoint(NETWORK)


def _may_pass(error: Exception) -> bool:
    return not isinstance(error, PermissionError) and type(error).__name__ not in (
        *("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "InvalidRegionError"),
    )


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).strip().splitlines()[0][:300]

"""Whether all nodes can write a storage, and whether it is the same one: each leaves a token that
the others read."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from pyarrow.fs import FileSelector, FileSystem, LocalFileSystem

from search.doctor.findings import Finding
from trainables.storage.store import check_uri, is_uri

APPEARS_SECONDS = 3.0  # until what another node has written shows up in a shared folder


class StorageProbe:
    """A folder of its own in a storage: a path, or a URI of a store that a search can use.

    Raises:
        OSError, ValueError: from all methods: what the storage answers.
        UserError: from all methods: a search takes no such URI.
    """

    def __init__(self, storage: str, name: str) -> None:
        self._storage, self._name = storage, name

    def write(self, token: str) -> None:
        """Leave a token, a file name."""
        files, folder = self._folder()
        files.create_dir(folder, recursive=True)
        with files.open_output_stream(f"{folder}/{token}") as stream:
            stream.write(token.encode())

    def read(self, wanted: frozenset[str]) -> frozenset[str]:
        """The tokens that are there; waits a while for those that are wanted."""
        deadline = time.monotonic() + APPEARS_SECONDS
        while True:
            found = frozenset(self._tokens())
            if wanted <= found or time.monotonic() > deadline:
                return found
            time.sleep(0.2)

    def clear(self) -> None:
        """Remove the folder, where it is."""
        files, folder = self._folder()
        files.delete_dir_contents(folder, missing_dir_ok=True)
        if isinstance(files, LocalFileSystem) and Path(folder).is_dir():
            files.delete_dir(folder)

    def _tokens(self) -> Iterator[str]:
        files, folder = self._folder()
        for entry in files.get_file_info(FileSelector(folder, allow_not_found=True)):
            with files.open_input_stream(entry.path) as stream:
                if stream.read().decode() == entry.base_name:
                    yield entry.base_name

    def _folder(self) -> tuple[FileSystem, str]:
        if is_uri(self._storage):
            check_uri(self._storage)
            files, path = FileSystem.from_uri(self._storage)
        else:
            files, path = LocalFileSystem(), str(Path(self._storage).absolute())
        return files, f"{path.rstrip('/')}/{self._name}"


def check_storage(
    storage: str, seen: Mapping[str, frozenset[str] | str], tokens: Mapping[str, str]
) -> Iterator[Finding]:
    """Findings from what each node saw.

    Args:
        storage: as the user named it.
        seen: by node the tokens that it read, or why it could not write or read.
        tokens: by node the one that it left.
    """
    for node, found in seen.items():
        if isinstance(found, str):
            yield Finding(
                check="storage",
                node=node,
                found=f"{storage}: {found}",
                level="fault",
                cure="a folder that every node mounts at this path and can write (NFS, EFS), or a "
                "bucket that it may write",
            )
            continue
        missing = [other for other, token in tokens.items() if token not in found]
        if missing:
            yield Finding(
                check="storage",
                node=node,
                found=f"{storage} is not the folder that {', '.join(missing)} wrote to",
                level="fault",
                cure="mount one shared folder at this path on every node, or name a bucket",
            )
        else:
            yield Finding(check="storage", node=node, found=f"{storage}: written and read by all")

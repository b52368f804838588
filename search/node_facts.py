"""What a machine says about itself; asked on every node of a cluster."""

import hashlib
import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

SHARED_MEMORY = "/dev/shm"  # where Ray keeps the pictures that all trials of a node read
LISTENING = "0A"  # the state in /proc/net/tcp, see proc(5)
ROOMS = ("trainables", "spaces", "search", "analysis")


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """One machine.

    Attributes:
        versions: of Python and the packages that numbers depend on.
        source: a hash of this project's modules.
        gpus: name and bytes of each that PyTorch sees.
        disks: free and total bytes by folder.
        listening: port -> the addresses on which something listens, such as "127.0.0.1".
        weights: why the weights cannot be had; empty where they can.
    """

    versions: Mapping[str, str]
    source: str
    gpus: tuple[tuple[str, int], ...]
    disks: Mapping[str, tuple[int, int]]
    listening: Mapping[int, tuple[str, ...]]
    weights: str


def gather(*, backbone: str, weights: str) -> NodeFacts:
    """Look at this machine; takes as long as importing PyTorch."""
    import torch

    from search.records.environment import versions
    from trainables.models.weights import why_unreachable

    found = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    folders = (SHARED_MEMORY, os.environ.get("RAY_TMPDIR", "/tmp"))
    return NodeFacts(
        versions=versions(),
        source=source_hash(),
        gpus=tuple((gpu.name, gpu.total_memory) for gpu in found),
        disks={folder: _free(folder) for folder in folders if Path(folder).is_dir()},
        listening=listening(),
        weights=why_unreachable(backbone, weights),
    )


def source_hash() -> str:
    """Twelve hex digits that change with any module of this project."""
    digest = hashlib.sha256()
    for room in ROOMS:
        spec = find_spec(room)
        for root in (spec.submodule_search_locations or ()) if spec else ():
            for path in sorted(Path(root).rglob("*.py")):
                digest.update(f"{room}/{path.relative_to(root)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def listening(
    tables: tuple[str, ...] = ("/proc/net/tcp", "/proc/net/tcp6"),
) -> dict[int, tuple[str, ...]]:
    """The TCP ports on which something listens, and on which addresses."""
    found: dict[int, set[str]] = {}
    for table in tables:
        for line in Path(table).read_text().splitlines()[1:] if Path(table).exists() else ():
            _, local, _, state, *_ = line.split()
            if state == LISTENING:
                address, _, port = local.partition(":")
                found.setdefault(int(port, 16), set()).add(_address(address))
    return {port: tuple(sorted(addresses)) for port, addresses in sorted(found.items())}


def _address(digits: str) -> str:
    """The kernel writes addresses as 32-bit words in the byte order of the machine."""
    words = [int(digits[i : i + 8], 16).to_bytes(4, "little") for i in range(0, len(digits), 8)]
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, b"".join(words))


def _free(folder: str) -> tuple[int, int]:
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total

"""What a machine says about itself, asked on every node, and what follows for a search."""

import hashlib
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path

from search.doctor.findings import Finding, Level
from search.records.disk import show_bytes

SKEW_SECONDS = {"warning": 1.0, "fault": 60.0}  # journal times mix; signed requests to a cloud fail
# Bytes that should be free: pictures and features in shared memory, sessions and logs on disk.
FREE_BYTES = {"warning": 5 * 10**9, "fault": 10**9}
FREE_SHARED_BYTES = {"warning": 2 * 10**9, "fault": 256 * 10**6}
# What serves this project's pages to whoever reaches the port, by its usual port.
PAGES = {8265: "Ray's dashboard", 6006: "TensorBoard", 8080: "optuna-dashboard"}
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


def check_nodes(facts: Mapping[str, NodeFacts]) -> Iterator[Finding]:
    """All checks of nodes by their names, the head (or this machine) first."""
    yield from check_versions(facts)
    for node, fact in facts.items():
        yield from check_gpus(node, fact)
        yield from check_disks(node, fact)
        yield from check_pages(node, fact)
        yield _finding(
            "weights",
            node,
            fact.weights,
            good="can be had",
            cure=fact.weights
            and (
                "give every node the file (TORCH_HOME, hub/checkpoints), or choose other --weights"
            ),
        )


def check_versions(facts: Mapping[str, NodeFacts]) -> Iterator[Finding]:
    """Equal to those of the first node, package by package."""
    first, reference = next(iter(facts.items()))
    for node, fact in facts.items():
        shown = " ".join(f"{name} {number}" for name, number in fact.versions.items())
        others = [
            f"{name} {fact.versions.get(name)}, {first} has {number}"
            for name, number in reference.versions.items()
            if fact.versions.get(name) != number
        ]
        yield _finding(
            "versions", node, "; ".join(others), good=shown, cure="install the same on every node"
        )
        other = f"{fact.source}, {first} has {reference.source}"
        yield _finding(
            "project", node, other if fact.source != reference.source else "", good=fact.source,
            cure="copy the same checkout to every node (file_mounts, then ray up again)",
        )  # fmt: skip


def check_gpus(node: str, fact: NodeFacts) -> Iterator[Finding]:
    shown = ", ".join(f"{name} ({show_bytes(size)})" for name, size in fact.gpus)
    yield Finding(check="GPUs", node=node, found=shown or "none")


def check_disks(node: str, fact: NodeFacts) -> Iterator[Finding]:
    for folder, (free, total) in fact.disks.items():
        limits = FREE_SHARED_BYTES if folder == SHARED_MEMORY else FREE_BYTES
        level = _level(limits["warning"] - free, limits["fault"] - free)
        more = (
            "docker run --shm-size, or a larger tmpfs" if folder == SHARED_MEMORY else "free some"
        )
        yield Finding(
            check="room",
            node=node,
            found=f"{folder}: {show_bytes(free)} free of {show_bytes(total)}",
            level=level,
            cure="" if level == "ok" else f"{show_bytes(limits['warning'])} or more; {more}",
        )


def check_pages(node: str, fact: NodeFacts) -> Iterator[Finding]:
    """Pages that anybody who reaches the port may read, or with Ray's: run code on the cluster."""
    for port, name in PAGES.items():
        addresses = fact.listening.get(port, ())
        open_to = [address for address in addresses if not ip_address(address).is_loopback]
        if addresses:
            yield _finding(
                f"port {port}", node, f"{name} on {', '.join(open_to)}" if open_to else "",
                good=f"{name} on {', '.join(addresses)} alone",
                cure="bind it to 127.0.0.1 (--dashboard-host, --host) and reach it through ssh -L",
            )  # fmt: skip


def check_clocks(offsets: Mapping[str, tuple[float, float]]) -> Iterator[Finding]:
    """By node its clock's seconds ahead of this machine's, and how far that may be wrong."""
    for node, (ahead, error) in offsets.items():
        least = max(abs(ahead) - error, 0.0)
        level = _level(least - SKEW_SECONDS["warning"], least - SKEW_SECONDS["fault"])
        yield Finding(
            check="clock",
            node=node,
            found=f"{ahead:+.3f} s, give or take {error:.3f} s",
            level=level,
            cure="" if level == "ok" else "run chrony or systemd-timesyncd on every node",
        )


def _finding(check: str, node: str, fault: str, *, good: str, cure: str) -> Finding:
    """A fault where its text is not empty."""
    if fault:
        return Finding(check=check, node=node, found=fault, level="fault", cure=cure)
    return Finding(check=check, node=node, found=good)


def _level(over_warning: float, over_fault: float) -> Level:
    if over_fault > 0:
        return "fault"
    return "warning" if over_warning > 0 else "ok"


def _address(digits: str) -> str:
    """The kernel writes addresses as 32-bit words in the byte order of the machine."""
    words = [int(digits[i : i + 8], 16).to_bytes(4, "little") for i in range(0, len(digits), 8)]
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, b"".join(words))


def _free(folder: str) -> tuple[int, int]:
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total

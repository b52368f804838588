"""From what all nodes say about themselves to findings."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from search.doctor.findings import Finding, Level
from search.node_facts import SHARED_MEMORY, NodeFacts
from search.records.disk import show_bytes

SKEW_SECONDS = {"warning": 1.0, "fault": 60.0}  # journal times mix; signed requests to a cloud fail
# Bytes that should be free: pictures and features in shared memory, sessions and logs on disk.
FREE_BYTES = {"warning": 5 * 10**9, "fault": 10**9}
FREE_SHARED_BYTES = {"warning": 2 * 10**9, "fault": 256 * 10**6}
# What serves this project's pages to whoever reaches the port, by its usual port.
PAGES = {8265: "Ray's dashboard", 6006: "TensorBoard", 8080: "optuna-dashboard"}


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
        told = " ".join(f"{name} {number}" for name, number in fact.versions.items())
        others = [
            f"{name} {fact.versions.get(name)}, {first} has {number}"
            for name, number in reference.versions.items()
            if fact.versions.get(name) != number
        ]
        yield _finding(
            "versions", node, "; ".join(others), good=told, cure="install the same on every node"
        )
        other = f"{fact.source}, {first} has {reference.source}"
        yield _finding(
            "project", node, other if fact.source != reference.source else "", good=fact.source,
            cure="copy the same checkout to every node (file_mounts, then ray up again)",
        )  # fmt: skip


def check_gpus(node: str, fact: NodeFacts) -> Iterator[Finding]:
    told = ", ".join(f"{name} ({show_bytes(size)})" for name, size in fact.gpus)
    yield Finding(check="GPUs", node=node, found=told or "none")


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

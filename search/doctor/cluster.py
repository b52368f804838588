"""Examines every node of a cluster, or this machine where there is none."""

import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import ray
from ray._private.authentication.authentication_utils import is_token_auth_enabled
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from search.cluster.capacity import living_nodes, shape
from search.cluster.connect import LOCAL, find_cluster, join
from search.doctor.findings import Finding
from search.doctor.nodes import NodeFacts, check_clocks, check_nodes, gather
from search.doctor.storage import StorageProbe, check_storage
from trainables.data.sources import check_source
from trainables.data.spec import DataSpec
from trainables.errors import UserError

ANSWER_SECONDS = 15.0  # for all nodes to answer a question
CLOCK_QUESTIONS = 5  # to each node; the quickest answer counts
HERE = "this machine"


class Examiner:
    """Asks one machine; an actor on each node of a cluster."""

    def __init__(self, storage: str, folder: str) -> None:
        self._probe = StorageProbe(storage, folder)

    def facts(self, backbone: str, weights: str) -> NodeFacts:
        return gather(backbone=backbone, weights=weights)

    def now(self) -> float:
        return time.time()

    def write(self, token: str) -> str:
        """Why the token could not be left; empty where it was."""
        try:
            self._probe.write(token)
        except (OSError, ValueError, UserError) as error:
            return str(error).splitlines()[0]
        return ""

    def read(self, wanted: frozenset[str]) -> frozenset[str]:
        return self._probe.read(wanted)

    def clear(self) -> None:
        self._probe.clear()


def examine(
    *, address: str, storage: str, data: str, backbone: str, weights: str
) -> Iterator[Finding]:
    """All findings about the nodes of the cluster that a search would run on."""
    yield check_data(data)
    address, source = find_cluster(address)
    folder = f".doctor-{uuid.uuid4().hex[:8]}"
    if address == LOCAL:
        yield Finding(check="cluster", found="none: a search starts one on this machine")
        examiner = Examiner(storage, folder)
        yield from check_nodes({HERE: examiner.facts(backbone, weights)})
        refused = examiner.write(HERE)
        seen = refused or examiner.read(frozenset({HERE}))
        yield from check_storage(storage, {HERE: seen}, {HERE: HERE})
        if not refused:
            examiner.clear()
        return
    join(address, source)
    try:
        yield Finding(check="cluster", found=f"{address} ({source}): {shape(living_nodes())}")
        yield check_tokens()
        yield from _examine_nodes(storage, folder, backbone, weights)
    finally:
        ray.shutdown()


def check_data(source: str) -> Finding:
    """The search reads the pictures here and hands them to the nodes."""
    faults = check_source(DataSpec(source=source))
    if faults:
        return Finding(
            check="data",
            node=HERE,
            found=faults[0].partition("; ")[0],
            level="fault",
            cure=faults[0].partition("; ")[2] or "another --data",
        )
    return Finding(check="data", node=HERE, found=f"{source} can be had")


def check_tokens() -> Finding:
    """Whether a process without the cluster's token is turned away: the mode is one for all."""
    if is_token_auth_enabled():
        return Finding(check="tokens", found="on: nobody joins without the cluster's token")
    return Finding(
        check="tokens",
        found="off: whoever reaches the cluster's ports runs code on it",
        level="fault",
        cure="RAY_AUTH_MODE=token in all `ray start` commands and the same ~/.ray/auth_token "
        "everywhere",
    )


def _examine_nodes(storage: str, folder: str, backbone: str, weights: str) -> Iterator[Finding]:
    examiners = {}
    for name, node_id in _names().items():
        there = NodeAffinitySchedulingStrategy(node_id, soft=False)
        actor = ray.remote(num_cpus=0, scheduling_strategy=there)(Examiner)
        examiners[name] = actor.remote(storage, folder)
    facts, silent = _ask(examiners, lambda name: examiners[name].facts.remote(backbone, weights))
    for name, why in silent.items():
        yield Finding(
            check="answers",
            node=name,
            found=why,
            level="fault",
            cure="install this project in the Python that runs Ray there; see Ray's logs on it",
        )
    examiners = {name: actor for name, actor in examiners.items() if name in facts}
    if not examiners:
        return
    yield from check_nodes(facts)
    yield from check_clocks({name: _clock(actor) for name, actor in examiners.items()})

    tokens = {name: f"token-{number}" for number, name in enumerate(examiners)}
    refused, _ = _ask(examiners, lambda name: examiners[name].write.remote(tokens[name]))
    written = {name: token for name, token in tokens.items() if not refused.get(name, "silent")}
    wanted = frozenset(written.values())
    read, lost = _ask(examiners, lambda name: examiners[name].read.remote(wanted))
    seen = {name: refused.get(name) or lost.get(name) or read[name] for name in examiners}
    yield from check_storage(storage, seen, written)
    _ask(examiners, lambda name: examiners[name].clear.remote())


def _names() -> dict[str, str]:
    """Each living node's name for the table -> its id; the head first."""
    nodes = sorted(
        (node for node in ray.nodes() if node["Alive"]),
        key=lambda node: ("node:__internal_head__" not in node["Resources"], node["NodeID"]),
    )
    return {
        f"{node['NodeManagerAddress']} ({node['NodeID'][:4]})": node["NodeID"] for node in nodes
    }


def _ask(examiners: Mapping[str, Any], ask: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Every node at the same time: the replies, and of those without one why."""
    deadline = time.monotonic() + ANSWER_SECONDS
    pending = {name: ask(name) for name in examiners}
    replies, silent = {}, {}
    for name, reference in pending.items():
        try:
            replies[name] = ray.get(reference, timeout=max(deadline - time.monotonic(), 0.1))
        except Exception as error:  # of the node, its Ray or its Python: each is the finding
            silent[name] = str(error).strip().splitlines()[-1]
    return replies, silent


def _clock(examiner: Any) -> tuple[float, float]:
    """Seconds that a node's clock is ahead of ours, and half the time of the question's way."""
    best = (0.0, float("inf"))
    for _ in range(CLOCK_QUESTIONS):
        before = time.time()
        there = ray.get(examiner.now.remote(), timeout=ANSWER_SECONDS)
        after = time.time()
        best = min(best, (there - (before + after) / 2, (after - before) / 2), key=lambda b: b[1])
    return best

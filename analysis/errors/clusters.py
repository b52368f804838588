"""Which classes form groups that are confused among themselves, and would again on other images?"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import ClusterNode, fcluster, leaves_list, linkage, to_tree
from scipy.spatial.distance import squareform

from analysis.statistics.intervals import stratified_resamples
from analysis.statistics.metrics import FloatArray, IntArray
from analysis.statistics.quasi_independence import BoolArray

MAX_CLUSTERS = 5
MIN_CO_MEMBERSHIP = 0.8  # a group is reported if every two of its classes meet so often
NUM_DRAWS = 500


def average_linkage(confusion: IntArray) -> FloatArray:
    """Average linkage of the classes on D = 1 - S / max S; SciPy's linkage matrix, (K - 1, 4).

    S is the mean of both directions' shares of their true class.
    """
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    similarity = (shares + shares.T) / 2
    np.fill_diagonal(similarity, 0.0)
    distance = 1 - similarity / (similarity.max() or 1.0)
    np.fill_diagonal(distance, 0.0)
    return np.asarray(linkage(squareform(distance, checks=False), "average"))


def num_clusters(num_classes: int) -> int:
    return min(MAX_CLUSTERS, num_classes // 2)


def memberships(confusion: IntArray) -> npt.NDArray[np.int32]:
    """The cluster of each class, shape (K,)."""
    tree = average_linkage(confusion)
    return np.asarray(fcluster(tree, num_clusters(len(confusion)), "maxclust"))


def co_membership(
    confusion: IntArray, num_resamples: int, rng: np.random.Generator
) -> tuple[FloatArray, int]:
    """Share of bootstrap draws in which two classes share a cluster, (K, K), and the draws."""
    num_draws = min(num_resamples, NUM_DRAWS)
    together = np.zeros(confusion.shape)
    for batch in stratified_resamples(confusion, num_draws, rng):
        for drawn in batch:
            found = memberships(drawn)
            together += found[:, None] == found
    return together / num_draws, num_draws


def clusters(
    confusion: IntArray,
    class_names: tuple[str, ...],
    is_flagged: BoolArray,
    *,
    num_resamples: int,
    seed: int,
) -> dict[str, Any]:
    """The tree, its leaves' order, and each stable cluster with its least co-membership.

    Args:
        confusion: counts with at least one error, shape (K, K), K >= 4.
        class_names: K names.
        is_flagged: whether two classes are a flagged pair, symmetric, shape (K, K).
        num_resamples: bootstrap draws, of which at most 500 are clustered.
        seed: of the bootstrap.
    """
    tree = average_linkage(confusion)
    together, num_draws = co_membership(confusion, num_resamples, np.random.default_rng(seed))
    return {
        "num_clusters": num_clusters(len(confusion)),
        "num_draws": num_draws,
        "order": [int(leaf) for leaf in leaves_list(tree)],
        "tree": tree.tolist(),
        "co_membership": together.tolist(),
        "clusters": [
            {
                "classes": [class_names[k] for k in sorted(group)],
                "co_membership": float(together[np.ix_(group, group)].min()),
            }
            for group in stable_groups(to_tree(tree), together, is_flagged)
        ],
    }


def stable_groups(
    node: ClusterNode, together: FloatArray, is_flagged: BoolArray
) -> list[list[int]]:
    """The largest branches whose classes keep together, each with a flagged partner among them.

    Error-prone classes keep together by their error rates alone; the flags control for those.
    """
    if node.is_leaf():
        return []
    group = node.pre_order()
    own = np.ix_(group, group)
    if together[own].min() >= MIN_CO_MEMBERSHIP and is_flagged[own].any(axis=1).all():
        return [group]
    return [
        found
        for branch in (node.get_left(), node.get_right())
        for found in stable_groups(branch, together, is_flagged)
    ]

"""Smaller models from the same trees: leaves that are nearly alike become one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import ModelError
from .device_model import DeviceModel
from .treefile import LEAF_BITS


def share_leaves(model: DeviceModel, n_leaves: int, *, seed: int = 0) -> DeviceModel:
    """Let a soft-voting model make do with `n_leaves` different leaves.

    The leaves are clustered (k-means, weighted by how many branches end in each), and each takes
    the values of its cluster's centre. Trees and thresholds stay as they are, so only votes that
    were close can change; `verify` says how many did.

    Raises:
        ModelError: no model of trees with soft votes, or `n_leaves` is no count.
    """
    if model.kind != "trees" or model.forest.leaf_bits != LEAF_BITS["soft"]:
        raise ModelError(
            "Only soft-voting trees have leaves worth sharing.",
            "Convert with voting='soft'; with hard votes there is one leaf a class already.",
        )
    if type(n_leaves) is not int or n_leaves < 1:
        raise ModelError(f"{n_leaves!r} is no number of leaves.", "Give 1 or more.")
    from sklearn.cluster import KMeans

    forest = model.forest
    table = forest.leaves.reshape(-1, forest.n_outputs)
    if n_leaves >= len(table):
        return model
    children = np.concatenate([forest.roots, forest.nodes[:, 3], forest.nodes[:, 4]])
    uses = np.bincount(-children[children < 0] - 1, minlength=len(table))
    found = KMeans(n_leaves, n_init=3, random_state=seed).fit(table, sample_weight=uses)
    centres = np.rint(found.cluster_centers_).astype(np.int64).clip(0, 255)

    def leaf(child: int) -> int:
        return child if child >= 0 else -int(found.labels_[-child - 1]) - 1

    lines = [f"f,{forest.n_features}", f"c,{forest.n_outputs}", f"lb,{forest.leaf_bits}"]
    lines += [f"l,{value}" for value in centres.ravel().tolist()]
    lines += [f"r,{leaf(root)}" for root in forest.roots.tolist()]
    lines += [
        f"n,{feature},{threshold},{leaf(left)},{leaf(right)}"
        for _, feature, threshold, left, right in forest.nodes.tolist()
    ]
    metadata = {**model.metadata, "shared_leaves": n_leaves}
    return replace(model, data=("\n".join(lines) + "\n").encode("ascii"), metadata=metadata)

"""Adapter of scipy: connected components of a graph given by arrays."""

# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from twin.model.geometry import Ints


def components(nodes: int, a: Ints, b: Ints) -> Ints:
    """The number of the component of each node, where links join ``a`` (links,) and ``b`` (links,)."""
    if nodes == 0:
        return np.zeros(0, dtype=np.int64)
    graph = csr_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(nodes, nodes))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(labels, dtype=np.int64)

"""Connected components of a graph given by arrays."""

import numpy as np

from twin.model.geometry import Ints


def components(nodes: int, a: Ints, b: Ints) -> Ints:
    """The least node of the component of each node, where links join ``a`` (links,) and ``b`` (links,).

    Roots that are linked to lesser ones are hung under these, all at once: after two rounds at most
    half of the linked ones are left. scipy for this alone costs every program that measures 25 MB and
    a third of a second.
    """
    root = np.arange(nodes, dtype=np.int64)
    while len(a):
        np.minimum.at(root, np.maximum(a, b), np.minimum(a, b))
        above = root[root]
        while not np.array_equal(above, root):
            root, above = above, above[above]
        a, b = root[a], root[b]
        apart = a != b
        a, b = a[apart], b[apart]
    return root

"""Components beside those of scipy."""

# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false
# scipy has no types.

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from twin.model.geometry import Ints
from twin.processing.graph import components


def least_of_components(nodes: int, a: Ints, b: Ints) -> Ints:
    """What scipy finds, each component called by its least node."""
    links = csr_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(nodes, nodes))
    _, label = connected_components(links, directed=False)
    _, least = np.unique(label, return_index=True)
    return np.asarray(least[label], dtype=np.int64)


@given(st.integers(1, 60), st.integers(0, 120), st.integers(0, 10_000))
def test_components_are_those_of_scipy(nodes: int, links: int, seed: int) -> None:
    a, b = np.random.default_rng(seed).integers(0, nodes, (2, links))
    np.testing.assert_array_equal(components(nodes, a, b), least_of_components(nodes, a, b))


@pytest.mark.parametrize("order", ["up", "down", "shuffled", "star"])
def test_long_chains_take_few_rounds(order: str) -> None:
    nodes = 200_000
    chain = np.arange(nodes)
    if order == "down":
        chain = chain[::-1]
    elif order == "shuffled":
        chain = np.random.default_rng(1).permutation(nodes)
    a, b = (np.full(nodes - 1, nodes - 1), chain[:-1]) if order == "star" else (chain[:-1], chain[1:])
    assert not components(nodes, a, b).any()


def test_nodes_without_links_are_components_of_their_own() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    assert components(0, nothing, nothing).tolist() == []
    assert components(3, np.array([1]), np.array([1])).tolist() == [0, 1, 2]

"""What a browser fetches before the first view."""

import gzip
import re

import pytest

from tests.e2e.serving import VIEWER

MOST_BYTES = 350_000


def test_the_page_is_light() -> None:
    """The page with what it names, compressed as it is sent."""
    if not VIEWER.exists():
        pytest.skip("the viewer is not built: run 'make setup'")
    page = VIEWER.read_text(encoding="utf-8")
    named = re.findall(r'(?:src|href)="/viewer/([^"]+)"', page)
    assert {name.rpartition(".")[2] for name in named} == {"js", "css"}
    sizes = {name: len(gzip.compress((VIEWER.parent / name).read_bytes(), 6)) for name in named}
    assert sum(sizes.values()) + len(gzip.compress(page.encode(), 6)) <= MOST_BYTES, sizes

"""What tests of several packages share."""

import socket
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""

SHARED_DATA = ROOT.parent / "shared" / "data"
"""Samples of the cities' real models; they are not in the repository (docs/how-to/develop.md)."""

needs_shared_data = pytest.mark.skipif(
    not SHARED_DATA.is_dir(),
    reason=f"the real sample models are not at {SHARED_DATA}",
)
"""Marks a test that reads the real sample models."""


def unused_port() -> int:
    """A port that nobody listens on; not the next free one, which other test runs would take as well."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port

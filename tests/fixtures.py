"""What tests of several packages share."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""

SHARED_DATA = ROOT.parent / "shared" / "data"
"""Samples of the cities' real models; they are not in the repository (docs/how-to/test.md)."""

needs_shared_data = pytest.mark.skipif(
    not SHARED_DATA.is_dir(),
    reason=f"the real sample models are not at {SHARED_DATA}",
)
"""Marks a test that reads the real sample models."""

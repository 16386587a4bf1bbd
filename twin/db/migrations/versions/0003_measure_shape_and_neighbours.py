"""Add columns for shape, neighbours, party walls and validity."""

from twin.db.migrations.scripts import run

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

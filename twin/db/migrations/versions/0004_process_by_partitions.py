"""Add the ledger of processing, and roof faces."""

from twin.db.migrations.scripts import run

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

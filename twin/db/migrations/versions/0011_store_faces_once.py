"""Store faces once, and what stands beside them in fewer bytes."""

from twin.db.migrations.scripts import run

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

"""Give roof faces their bounds, so that they are read as buildings are."""

from twin.db.migrations.scripts import run

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

"""Order the columns of features as they are read."""

from twin.db.migrations.scripts import run

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

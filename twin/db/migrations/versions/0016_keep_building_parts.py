"""Keep parts of buildings as a read model of their own."""

from twin.db.migrations.scripts import run

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

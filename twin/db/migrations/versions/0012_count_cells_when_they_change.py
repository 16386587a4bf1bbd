"""Count cells when features in them change, and write down which cells those are."""

from twin.db.migrations.scripts import run

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

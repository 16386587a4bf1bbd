"""Keep repaired geometries beside the invalid ones."""

from twin.db.migrations.scripts import run

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

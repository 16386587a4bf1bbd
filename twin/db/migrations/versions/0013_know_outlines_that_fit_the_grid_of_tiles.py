"""Know of each outline at which zooms it fits the grid of vector tiles."""

from twin.db.migrations.scripts import run

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

"""Keep area, slope and azimuth of the faces of meshes."""

from twin.db.migrations.scripts import run

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

"""Keep the images of textures, and what meshes look like."""

from twin.db.migrations.scripts import run

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

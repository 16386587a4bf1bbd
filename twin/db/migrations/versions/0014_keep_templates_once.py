"""Keep the meshes of templates once, and where objects have them."""

from twin.db.migrations.scripts import run

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

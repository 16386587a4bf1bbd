"""Find features by their use in the order of ids, as pages ask for them."""

from twin.db.migrations.scripts import run

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

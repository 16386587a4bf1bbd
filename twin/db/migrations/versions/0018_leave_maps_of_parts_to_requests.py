"""Leave outlines of parts in Web Mercator to the requests for them."""

from twin.db.migrations.scripts import run

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

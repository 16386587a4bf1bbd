"""Keep API keys, by their hashes."""

from twin.db.migrations.scripts import run

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

"""Keep what else CityJSON says of objects and documents."""

from twin.db.migrations.scripts import run

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    run(__file__)

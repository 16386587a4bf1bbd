"""What ``twin doctor`` asks the database."""

from collections.abc import Iterator

from sqlalchemy import Connection, create_engine, text

from twin.db import migrations
from twin.db.address import reachable
from twin.db.embedded import READERS
from twin.settings import Settings

Fact = tuple[str, str, str]
"""Name, detail, and a remedy that is empty when all is well."""

OLDEST_POSTGRESQL = 15
OLDEST_POSTGIS = (3, 3)


def facts(settings: Settings) -> Iterator[Fact]:
    """Versions, schema and roles; DatabaseUnavailable if there is no connection."""
    with reachable(settings) as connect:
        engine = create_engine(connect.owner_url)
        try:
            with engine.connect() as connection:
                for check in (_server, _postgis, _schema, _reader):
                    yield check(connection)
        finally:
            engine.dispose()


def _server(connection: Connection) -> Fact:
    number = int(str(connection.execute(text("SHOW server_version_num")).scalar()))
    detail = f"PostgreSQL {number // 10000}.{number % 10000}"
    remedy = f"Version {OLDEST_POSTGRESQL} or newer is needed."
    return "server", detail, "" if number // 10000 >= OLDEST_POSTGRESQL else remedy


def _postgis(connection: Connection) -> Fact:
    version = connection.execute(
        text("SELECT default_version FROM pg_available_extensions WHERE name = 'postgis'")
    ).scalar()
    if version is None:
        return "PostGIS", "not installed", "Install the PostGIS package on the machine of the database."
    numbers = tuple(int(part) for part in str(version).split(".")[:2])
    remedy = "" if numbers >= OLDEST_POSTGIS else "PostGIS 3.3 or newer is needed."
    return "PostGIS", str(version), remedy


def _schema(connection: Connection) -> Fact:
    found = migrations.revision(connection)
    if found == migrations.HEAD:
        return "schema", f"revision {found}", ""
    if found is not None and found > migrations.HEAD:
        return "schema", f"revision {found}", f"Update the program, which knows {migrations.HEAD}."
    return "schema", f"revision {found or 'none'}; the next command brings it to {migrations.HEAD}", ""


_MAKE_READER = (
    "CREATE ROLE {} NOLOGIN",
    "GRANT {} TO CURRENT_USER",
    "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}",
    "REVOKE ALL ON api_key FROM {}",
)


def _reader(connection: Connection) -> Fact:
    may = connection.execute(
        text("SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = :role"), {"role": READERS}
    ).scalar()
    if may:
        return "reading role", READERS, ""
    return (
        "reading role",
        f"{READERS} is missing: the API reads with the owner's rights, in read-only transactions",
        "As a superuser: " + " ".join(f"{step.format(READERS)};" for step in _MAKE_READER),
    )

"""The commands that make, list and end API keys: ``twin keys …``."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from twin import console

commands = typer.Typer(
    no_args_is_help=True,
    help="API keys: who may ask the API from other machines, and for what. A key is shown once and kept as a "
    "hash. 'twin serve' asks for keys on addresses that others reach.",
)


@commands.command(
    epilog='Examples: twin keys create "QGIS of the planners" --scope read --scope stats;'
    " twin keys create tallinn --scope read --scope export --city tallinn --days 90"
)
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is, as lists and the audit log call it.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="read, stats, export, scenario, import, personal or admin; repeat it. Without: read."
        ),
    ] = None,
    city: Annotated[
        list[str] | None, typer.Option(help="Only this city's data; repeat it. Without: all.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="It expires after so many days.")
    ] = None,
) -> None:
    """Make a key and print it, this once. It goes to standard output, what it opens to standard error."""
    from twin.db import keys
    from twin.db.engine import database
    from twin.settings import load

    expires = None if days is None else datetime.now(UTC) + timedelta(days=days)
    with database(load()) as opened, opened.engine.begin() as connection:
        key = keys.create(connection, name, scope or ["read"], city, expires)
    typer.echo("Keep the key now; it is not shown again.", err=True)
    typer.echo(key)


@commands.command("list", epilog="Example: twin keys list")
def list_() -> None:
    """List all keys, one a line: prefix, name, state, scopes, cities, when made, last used, ending."""
    from twin.db import keys
    from twin.db.engine import database
    from twin.settings import load

    with database(load()) as opened, opened.engine.connect() as connection:
        found = keys.keys(connection)
    heads = ("prefix", "name", "state", "scopes", "cities", "created", "last used", "expires")
    rows: list[list[object]] = [
        [
            key.prefix,
            key.name,
            key.state,
            ",".join(sorted(key.scopes)),
            "all" if key.cities is None else ",".join(sorted(key.cities)),
            *map(_time, (key.created_at, key.last_used_at, key.expires_at)),
        ]
        for key in found
    ]
    console.table(heads, rows)


@commands.command(epilog="Example: twin keys revoke twin_a1B2c3D4")
def revoke(prefix: Annotated[str, typer.Argument(help="The prefix of the key, as 'list' shows it.")]) -> None:
    """End a key for good."""
    from twin.db import keys
    from twin.db.engine import database
    from twin.settings import load

    with database(load()) as opened, opened.engine.begin() as connection:
        key = keys.revoke(connection, prefix)
    console.say(f"{key.prefix} ({key.name}) is revoked.")


def _time(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ")

"""The commands that look after the database and the machine: ``twin db …`` and ``twin doctor``."""

from typing import TYPE_CHECKING, Annotated

import typer

from twin import console
from twin.errors import ServiceError

if TYPE_CHECKING:
    from twin.db.embedded import Cluster
    from twin.settings import Settings

database_commands = typer.Typer(
    no_args_is_help=True,
    help="Look after the private database cluster of TWIN_HOME. Other commands start it when they need it.",
)


@database_commands.command(epilog="Example: twin db start")
def start() -> None:
    """Start the cluster and keep it running until 'twin db stop'."""
    from twin.db import embedded

    cluster = embedded.cluster(_private())
    cluster.start_and_keep()
    console.say(f"The database runs. {_how_to_connect(cluster)}")


@database_commands.command(epilog="Example: twin db stop")
def stop(
    force: Annotated[bool, typer.Option(help="Stop it under the programs that use it.")] = False,
) -> None:
    """Stop the cluster, or let it stop with the last program that uses it."""
    from twin.db import embedded

    cluster = embedded.existing(_private())
    if cluster is None:
        console.say("There is no database yet.")
    elif cluster.stop_now(force=force):
        console.say("The database is stopped.")
    else:
        raise ServiceError("The database is in use; it stops with the last program, or now with --force.")


@database_commands.command(epilog="Example: twin db status")
def status() -> None:
    """Say where the cluster is, whether it runs, and how to connect to it."""
    from twin.db import embedded

    settings = _private()
    cluster = embedded.existing(settings)
    if cluster is None:
        console.table(("", ""), [("home", settings.home), ("state", "not made yet")])
        return
    found = cluster.status()
    state = "running" if found.running else "stopped"
    rows: list[tuple[str, object]] = [
        ("home", settings.home),
        ("cluster", found.cluster),
        ("PostgreSQL", found.version),
        ("state", f"{state}, kept until 'twin db stop'" if found.kept else state),
        ("in use", "yes" if found.in_use else "no"),
        ("connect", _how_to_connect(cluster)),
    ]
    console.table(("", ""), rows)


@database_commands.command("upgrade", epilog="Example: twin db upgrade")
def upgrade_() -> None:
    """Move the cluster to the newest major version of PostgreSQL on this machine."""
    from twin.db import embedded, upgrade

    cluster = embedded.existing(_private())
    if cluster is None:
        console.say("There is no database yet; it will be made with the newest version.")
        return
    done = upgrade.upgrade(cluster)
    if done.before == done.after:
        console.say(f"PostgreSQL {done.after} is the newest version with PostGIS here; nothing to do.")
    else:
        console.say(f"The database moved from PostgreSQL {done.before} to {done.after}.")


def examine(
    settings: Annotated[bool, typer.Option("--settings", help="List all settings and their values.")] = False,
) -> None:
    """Check what the program needs and say how to mend what is missing."""
    from twin import doctor
    from twin.settings import load

    loaded = load()
    if settings:
        console.table(("setting", "value", "meaning"), doctor.list_settings(loaded))
        return
    failed: list[str] = []
    for finding in doctor.examine(loaded):
        typer.echo(f"{finding.mark}  {finding.name}: {finding.detail}")
        if finding.remedy:
            typer.echo(f"      {finding.remedy}")
        if not finding.well:
            failed.append(finding.name)
    if failed:
        raise ServiceError(f"Not in order: {', '.join(failed)}")


def _private() -> "Settings":
    from twin.settings import load

    settings = load()
    if settings.database_url is not None:
        raise ServiceError("TWIN_DATABASE_URL is set: that database is not this program's to start or stop.")
    return settings


def _how_to_connect(cluster: "Cluster") -> str:
    from twin.db import layout

    return f"psql -h {layout.sockets_of(cluster.folder)} -U {layout.OWNER} {layout.DATABASE}"

"""The ``twin`` command: wiring of the packages, exit codes.

Each command imports what it needs when it runs, so that all start quickly; worker processes start by
importing this module too.
"""

import signal
import sys
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from importers import source_commands
from tiles import commands as tiles_commands
from twin import administration, console, export_command, key_commands, processing_command
from twin.errors import InputError, RequestError, TwinError
from twin.formats import Format

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from importers.grasp import ImportOptions
    from importers.report import Report
    from twin.db.engine import Database

City: TypeAlias = Literal["helsinki", "tallinn"]
CITIES: tuple[City, ...] = ("helsinki", "tallinn")

app = typer.Typer(
    name="twin",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="3D city models of Helsinki and Tallinn as one digital twin.",
    epilog="Exit codes: 0 all is well, 1 it failed, 2 wrong usage, 3 done but some features were refused.",
)
app.add_typer(administration.database_commands, name="db")
app.add_typer(source_commands.commands, name="sources")
app.add_typer(key_commands.commands, name="keys")
app.command(epilog="Example: twin fetch tallinn, or: twin fetch helsinki --url https://…/model.zip")(
    source_commands.fetch
)
app.command("doctor", epilog="Example: twin doctor --settings")(administration.examine)


def main() -> None:
    """Run the command line; every end is a documented exit code."""
    # As Ctrl-C does, these unwind the stack, so that transactions end and the private cluster stops.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        app()
    except TwinError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"{where}{error.strerror or error}", file=sys.stderr)
        raise SystemExit(1) from None


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"twin {version('finest-twin')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    pass


Models: TypeAlias = Annotated[
    list[Path],
    typer.Argument(
        help="CityGML, CityJSON or CityJSONSeq: files, .gz, .zip, folders, globs, - for standard input."
    ),
]
FailFast: TypeAlias = Annotated[
    bool, typer.Option("--fail-fast", help="Import nothing of a file that has a feature to refuse.")
]
Only: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="type=Building, id=abc or bbox=west,south,east,north; repeat it.")
]
Lod: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="Only this level of detail, 2 or 2.2; repeat it for several.")
]
Unplaced: TypeAlias = Annotated[
    bool,
    typer.Option("--allow-unplaced", help="Import with an unknown reference system; tiles will not show it."),
]
DryRun: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Read and report, but write nothing.")]
Complete: TypeAlias = Annotated[
    bool,
    typer.Option("--complete", help="The files are the whole delivery: end features that they do not hold."),
]


@app.command(
    "import",
    epilog="Examples: twin import helsinki.gml tallinn.city.jsonl --report report.json;"
    ' twin import "sheets/*.zip" --jobs 4 --dry-run; twin import delivery/ --complete',
)
def import_(
    paths: Models,
    city: Annotated[str | None, typer.Option(help="The city, where the file does not tell it.")] = None,
    dataset: Annotated[str | None, typer.Option(help="The dataset that the files belong to.")] = None,
    crs: Annotated[
        str | None, typer.Option(help="Reference system, EPSG:n or EPSG:n+m with heights.")
    ] = None,
    axis_order: Annotated[
        Literal["auto", "en", "ne"], typer.Option(help="Easting or northing first; auto: by the coordinates.")
    ] = "auto",
    undulation: Annotated[
        float | None, typer.Option(help="Geoid height in metres where no grid or table covers the model.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that measure and mesh.")] = 1,
    allow_unplaced: Unplaced = False,
    dry_run: DryRun = False,
    complete: Complete = False,
    fail_fast: FailFast = False,
    only: Only = None,
    lod: Lod = None,
    report: Annotated[Path | None, typer.Option(help="Write the report as JSON to this file.")] = None,
) -> None:
    """Read, measure and store city models. Unchanged features are not written again."""
    from importers.grasp import ImportOptions
    from importers.selection import Selection
    from importers.source_files import load_sources

    options = ImportOptions(
        city=city,
        dataset=dataset,
        crs=crs,
        axis_order=None if axis_order == "auto" else axis_order,
        undulation_m=undulation,
        allow_unplaced=allow_unplaced,
        dry_run=dry_run,
        complete=complete,
        jobs=jobs,
        fail_fast=fail_fast,
        selection=Selection.parse(only or [], lod or []),
        sources=load_sources(_home()),
    )
    with _database() as opened:
        code = _import(opened, paths, options, report)
    raise typer.Exit(code)


app.command(epilog="Example: twin process --jobs 4, or: twin process --explain helsinki_lod2.BID_1")(
    processing_command.process
)


app.add_typer(export_command.commands)


@app.command(epilog="Example: twin synth helsinki.gml --city helsinki --buildings 2000")
def synth(
    out: Annotated[Path, typer.Argument(help="File to write: .gml, .city.json or .city.jsonl.")],
    city: Annotated[City, typer.Option(help="Whose delivery schema to use.")],
    buildings: Annotated[int, typer.Option(min=1, help="How many buildings.")] = 2000,
    seed: Annotated[int, typer.Option(help="Another seed, another city.")] = 1,
    format: Annotated[Format | None, typer.Option(help="By the name of the file.")] = None,
    corrupt: Annotated[
        int, typer.Option(min=0, help="How many broken buildings to write among them, of each kind in turn.")
    ] = 0,
) -> None:
    """Write a synthetic city, and beside it the true value of every attribute."""
    _synthesise(out, city, buildings, seed, format, corrupt)
    console.say(f"{out}: {buildings} buildings; their true values are in {out}.truth.csv")
    if corrupt:
        console.say(f"{corrupt} broken ones, and what an import says of each: {out}.corrupt.csv")


@app.command(epilog="Example: twin serve --port 8000")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any free one.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer.")] = 1,
    public_read: Annotated[
        bool, typer.Option(help="Let everyone who reaches the address read all but personal data.")
    ] = False,
    keys: Annotated[
        bool, typer.Option("--keys", help="Ask for API keys on this machine too, as for a proxy before it.")
    ] = False,
) -> None:
    """Serve the API, tiles and viewer: openly to this machine alone, to others by 'twin keys'."""
    from api import server

    with _database() as opened:
        server.serve(
            opened, host=host, port=port, workers=workers, public_read=public_read, ask_for_keys=keys
        )


@app.command(epilog='Example: twin demo, or with your own models: twin demo a.gml "b.city.json"')
def demo(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Models to show; without: synthetic cities.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port; by default the first free one from 8000.")] = None,
    buildings: Annotated[int, typer.Option(min=1, help="Buildings of each synthetic city.")] = 2000,
) -> None:
    """Show both cities in a browser: make, import and measure them if need be, then serve."""
    from api import server
    from importers.grasp import ImportOptions

    with _database() as opened:
        models = paths or _synthetic_cities(opened.settings.home / "demo", buildings)
        _import(opened, models, ImportOptions(), None)
        processing_command.compute(opened, opened.settings)
        chosen = port if port is not None else server.free_port(8000)
        server.serve(opened, host="127.0.0.1", port=chosen)


app.add_typer(tiles_commands.commands, name="tiles")


@app.command(epilog="Example: twin datasets --hash")
def datasets(
    hash: Annotated[
        bool, typer.Option("--hash", help="Print a hash of the content of each, and of all, instead.")
    ] = False,
) -> None:
    """List the datasets, one a line; 'pending' are features that wait for 'twin process'."""
    from twin.db import admin, content_hash
    from twin.processing.versions import versions

    with _database() as opened, opened.engine.connect() as connection:
        if hash:
            hashes = content_hash.content_hashes(connection)
            console.table(("dataset", "content"), [*hashes.items(), ("all", content_hash.combined(hashes))])
            return
        rows = admin.datasets(connection, versions())
    names = ("name", "city", "role", "synthetic", "features", "placement", "revision", "pending", "since")
    told = [["" if row[name] is None else row[name] for name in names] for row in rows]
    console.table(("dataset", *names[1:]), told)


@app.command(epilog="Example: twin diff helsinki_lod2 --from 2026-01-31")
def diff(
    dataset: Annotated[str, typer.Argument(help="The dataset.")],
    before: Annotated[
        datetime | None, typer.Option("--from", help="A moment; by default just before the last import.")
    ] = None,
    after: Annotated[datetime | None, typer.Option("--to", help="A later moment; by default now.")] = None,
) -> None:
    """List the features that changed between two moments, a line each: kind of change, id."""
    from collections import Counter

    from twin.db.diff import changes

    with _database() as opened, opened.engine.connect() as connection:
        found = changes(connection, dataset, before, after)
    console.table(("change", "feature"), found)
    counts = Counter(kind for kind, _ in found)
    console.say(", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "nothing changed")


@app.command(epilog="Example: twin remove helsinki_lod2_synthetic --yes")
def remove(
    dataset: Annotated[str, typer.Argument(help="The dataset to remove, with its history.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove a dataset, its features and its history for good."""
    from twin.db import admin

    if not yes:
        typer.confirm(f"Remove the dataset {dataset} and its history for good?", abort=True)
    with _database() as opened, opened.engine.begin() as connection:
        removed = admin.remove(connection, dataset)
    console.say(f"{dataset}: {removed} features removed")


def _database() -> "AbstractContextManager[Database]":
    from twin.db.engine import database
    from twin.settings import load

    return database(load())


def _home() -> Path:
    from twin.settings import load

    return load().home


def _import(opened: "Database", paths: list[Path], options: "ImportOptions", report: Path | None) -> int:
    """Import files one by one and say what came of each; the exit code."""
    import orjson

    from importers.ingest import Ingest
    from importers.inputs import sources
    from importers.report import summary

    reports: list[Report] = []
    errors: list[str] = []
    ingest = Ingest(opened.engine, options, waits=console.say)
    for source in sources(paths):
        try:
            with (
                console.progress(source.name, of_bytes=True) as ingest.progress,
                source.unpacked(ingest.progress) as path,
            ):
                reports.append(ingest.run(path, source.name, source.images))
            console.say("\n".join(reports[-1].lines()))
        except (InputError, RequestError) as error:
            errors.append(str(error))
            console.say(f"FAILED {error}")
    ended = ingest.end_absent() if options.complete and not errors else {}
    if report is not None:
        whole = {"files": [r.as_dict() for r in reports], "ended": ended, "errors": errors}
        report.write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2))
    for name, count in ended.items():
        console.say(f"{name}: {count} features ended")
    if len(reports) + len(errors) > 1:
        console.say(summary(reports, errors))
    if errors:
        raise InputError(
            errors[0] if len(errors) == 1 else f"{len(errors)} files failed; the first: {errors[0]}"
        )
    return 3 if any(r.refused or r.problems for r in reports) else 0


def _synthetic_cities(folder: Path, buildings: int) -> list[Path]:
    """A model of each city, written once."""
    folder.mkdir(parents=True, exist_ok=True)
    models: dict[City, Path] = {city: folder / f"{city}_{buildings}.gml" for city in CITIES}
    for city, out in models.items():
        if not out.exists():
            _synthesise(out, city, buildings)
    return list(models.values())


def _synthesise(
    out: Path, city: City, buildings: int, seed: int = 1, format: Format | None = None, corrupt: int = 0
) -> None:
    from importers.synthetic import Target, synthesise

    with console.progress(f"building {city}") as advance:
        synthesise(
            Target(out, format) if format else out,
            city=city,
            buildings=buildings,
            seed=seed,
            corrupt=corrupt,
            progress=lambda done: advance(done, buildings),
        )


if __name__ == "__main__":
    main()

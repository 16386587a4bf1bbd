"""The command ``twin process``."""

from typing import TYPE_CHECKING, Annotated

import typer

from twin import console

if TYPE_CHECKING:
    from twin.db.engine import Database
    from twin.settings import Settings


def process(
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that compute.")] = 1,
    force: Annotated[bool, typer.Option(help="Compute again what is up to date, too.")] = False,
    explain: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Compute nothing; show how the values of this building came to be."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="The explanation as JSON.")] = False,
) -> None:
    """Compute what is missing or out of date: measures, roof faces, neighbours, validity."""
    if json and explain is None:
        raise typer.BadParameter("it goes with --explain ID", param_hint="--json")
    from twin.db.engine import database
    from twin.processes import prepare
    from twin.settings import load

    settings = load()
    if jobs > 1 and settings.dask_scheduler is None:
        prepare("twin.processing.pipeline")
    with database(settings) as opened:
        if explain is not None:
            _explain(opened, explain, dataset, as_json=json)
            return
        problems = compute(opened, settings, dataset, jobs=jobs, force=force)
    raise typer.Exit(3 if problems else 0)


def compute(
    opened: "Database",
    settings: "Settings",
    dataset: str | None = None,
    *,
    jobs: int = 1,
    force: bool = False,
) -> int:
    """Process with progress on the terminal and say what was done; how many features have problems."""
    from twin.processing import pipeline
    from twin.processing.scale_out import Workers

    workers = Workers(jobs, settings.dask_scheduler)
    with console.progress("processing") as advance:
        reports = pipeline.process(opened.engine, dataset, force=force, workers=workers, progress=advance)
    for done in reports:
        counts = ", ".join(f"{count} {stage}" for stage, count in done.computed.items() if count)
        validity = f"; {done.invalid} invalid, {done.repaired} of them repaired" if done.invalid else ""
        written = f"{done.rows_written} rows written"
        console.say(f"{done.dataset}: {counts or 'all up to date'}; {written}{validity}")
        for problem in done.problems:
            console.say(f"  {problem}")
    return sum(len(done.problems) for done in reports)


def _explain(opened: "Database", id: str, dataset: str | None, *, as_json: bool) -> None:
    import orjson

    from twin.processing import pipeline

    explanation = pipeline.explain(opened.engine, id, dataset)
    if as_json:
        typer.echo(orjson.dumps(explanation.document, option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo("\n".join(explanation.lines()))

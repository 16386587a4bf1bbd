"""The command ``twin export``."""

import datetime as datetime_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin import console
from twin.errors import InputError
from twin.formats import Format

if TYPE_CHECKING:
    from twin.db.engine import Database


commands = typer.Typer()


@commands.command(epilog="Example: twin export helsinki.city.jsonl --dataset helsinki_lod2")
def export(
    out: Annotated[Path, typer.Argument(help="File to write: .city.json, .city.jsonl or .gml.")],
    format: Annotated[Format | None, typer.Option(help="By the name of the file.")] = None,
    filter: Annotated[str | None, typer.Option(help="CQL2 text: which features.")] = None,
    dataset: Annotated[str | None, typer.Option(help="The dataset; needed where there are several.")] = None,
    datetime: Annotated[
        str | None, typer.Option(help="As the database was at this time, such as 2026-05-01T12:00:00Z.")
    ] = None,
    valid_at: Annotated[
        str | None,
        typer.Option(help="What stood in the world at this time, as far as the database knows (or knew)."),
    ] = None,
    repaired: Annotated[
        bool,
        typer.Option("--repaired", help="Repaired geometries in place of invalid ones, where there are."),
    ] = False,
) -> None:
    """Write a dataset, or part of it, as CityJSON 2.0, CityJSONSeq or CityGML 2.0."""
    if repaired and (datetime or valid_at):
        raise typer.BadParameter(
            "repairs are of what is stored now; leave out --datetime and --valid-at", param_hint="--repaired"
        )
    from collections import Counter

    from twin.db.collections import FEATURES
    from twin.db.engine import database
    from twin.db.filters import compile_filter, parse
    from twin.db.query import Selection, View
    from twin.export import format_of, write_features
    from twin.settings import load

    chosen = format or format_of(out)
    view = View(as_of=_moment("--datetime", datetime), valid_at=_moment("--valid-at", valid_at))
    conditions = (compile_filter(parse(filter), FEATURES.queryables(view)),) if filter else ()
    with database(load()) as opened:
        selection = Selection(view, FEATURES, (dataset or _only_dataset(opened),), conditions)
        ledger: Counter[str] = Counter()
        written = write_features(opened, out, selection, chosen, repaired=repaired, ledger=ledger)
    console.say(f"{out}: {written.features} features")
    if written.images:
        console.say(f"  and the images of their textures beside it ({written.images})")
    if ledger:
        listed = ", ".join(f"{name} ({number})" for name, number in ledger.most_common())
        console.say(f"  CityGML 2.0 has no place for: {listed}")


def _moment(option: str, text: str | None) -> datetime_.datetime | None:
    if text is None:
        return None
    try:
        moment = datetime_.datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text}: no time of RFC 3339, such as 2026-05-01T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime_.UTC)


def _only_dataset(opened: "Database") -> str:
    from twin.db.load import stored_specs

    with opened.engine.connect() as connection:
        names = [spec.name for _, spec in stored_specs(connection)]
    if len(names) != 1:
        found = ", ".join(names) or "none"
        raise InputError(f"Say which dataset to export with --dataset; there are: {found}.")
    return names[0]

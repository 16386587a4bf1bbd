"""The commands of sources: ``twin sources …``."""

from pathlib import Path
from typing import Annotated

import typer

from twin import console
from twin.settings import load

commands = typer.Typer(no_args_is_help=True, help="Publishers whose deliveries are understood.")


@commands.command("list", epilog="Example: twin sources list")
def list_() -> None:
    """List the sources: name, city, reference system, publisher, licence, page to download from."""
    from importers.source_files import load_sources
    from importers.sources import SOURCES

    console.table(
        ("source", "city", "reference system", "publisher", "licence", "page"),
        [
            (s.name, s.city, s.reference, s.publisher or "", s.licence or "", s.page or "")
            for s in (*load_sources(load().home), *SOURCES)
        ],
    )


@commands.command(epilog="Example: twin sources add vienna.toml")
def add(
    file: Annotated[Path, typer.Argument(help="A description in TOML; see the documentation.")],
) -> None:
    """Add a source, so that deliveries of another city are understood."""
    from importers.source_files import add_source

    source = add_source(file, load().home)
    console.say(f"{source.name}: added; `twin import` recognises its files from here on")

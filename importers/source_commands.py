"""The commands of sources: ``twin sources …`` and ``twin fetch``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin import console
from twin.errors import InputError, ServiceError

if TYPE_CHECKING:
    from importers.deliveries import Delivery

commands = typer.Typer(no_args_is_help=True, help="Publishers whose deliveries are understood.")


@commands.command("list", epilog="Example: twin sources list")
def list_() -> None:
    """List the sources: name, city, reference system, publisher, licence, page to download from."""
    from importers.source_files import load_sources
    from importers.sources import SOURCES
    from twin.settings import load

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
    from twin.settings import load

    source = add_source(file, load().home)
    console.say(f"{source.name}: added; `twin import` recognises its files from here on")


def fetch(
    source: Annotated[str, typer.Argument(help="helsinki, tallinn, or a source that was added.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files; by default deliveries/ of the data directory.")
    ] = None,
    url: Annotated[
        list[str] | None, typer.Option(help="Address of a file, where the page does not link to it.")
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(help="Of the files that the page links to, those with this in their address."),
    ] = None,
    sha256: Annotated[
        str | None, typer.Option(help="What the SHA-256 of the one file has to be, where it is known.")
    ] = None,
) -> None:
    """Download a city's open delivery from its publisher, and verify it. It goes on where it was cut."""
    from importers.deliveries import find
    from importers.download import Unreachable, Wanted, download
    from importers.source_files import load_sources
    from twin.settings import load

    home = load().home
    delivery = find(source, load_sources(home))
    console.say(f"{delivery.terms()}\n{delivery.page}")
    folder = out or home / "deliveries" / delivery.name
    try:
        for address in _addresses(delivery, url, match, sha256):
            wanted = Wanted(address, sha256=sha256)
            with console.progress(wanted.name, of_bytes=True) as advance:
                path = download(wanted, folder, advance)
            console.say(f"{path}: {path.stat().st_size / 1e6:.1f} MB; twin import {path}")
    except Unreachable as error:
        by_hand = "get the files there with a browser and give them to `twin import`"
        raise ServiceError(f"{error}. The page of the publisher is {delivery.page}; {by_hand}") from error


def _addresses(
    delivery: "Delivery", urls: list[str] | None, match: str | None, sha256: str | None
) -> list[str]:
    """What to download: as a person says, else what the page links to if that is clear."""
    from importers.deliveries import links

    found = urls or [link for link in links(delivery) if (match or "").casefold() in link.casefold()]
    if not found:
        raise InputError(
            f"{delivery.page} links to no file that fits; look there, and give its address: --url https://…"
        )
    if len(found) > 1 and not urls and match is None:
        listed = "\n  ".join(found)
        raise InputError(
            f"The page links to several files:\n  {listed}\nSay which, such as --match zip; --match '' is all"
        )
    if len(found) > 1 and sha256:
        raise InputError("--sha256 is of one file; choose one by --match or --url")
    return found

"""The commands of tiles: ``twin tiles …``."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from twin import console
from twin.errors import InputError

if TYPE_CHECKING:
    from tiles.build import TileRequest
    from twin.db.query import Selection

commands = typer.Typer(no_args_is_help=True, help="Batch tiles and their checker.")


@commands.command(epilog="Example: twin tiles build tiles/ --filter \"city = 'helsinki'\"")
def build(
    out: Annotated[
        str,
        typer.Argument(
            help="A new folder, or one of an earlier build to bring up to date; s3://, gs:// or az:// too."
        ),
    ],
    filter: Annotated[str | None, typer.Option(help="CQL2 text: which buildings.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset, primary or not.")] = None,
    surfaces: Annotated[
        bool, typer.Option(help="With slope, azimuth and area of every surface, for some more bytes.")
    ] = False,
    profile: Annotated[
        str,
        typer.Option(
            help="'compact': without normals, in steps of 3 cm; 'lean': without ground too; 'plain'; "
            "'textured': with images and materials."
        ),
    ] = "standard",
    theme: Annotated[
        str | None, typer.Option(help="Of textures; without it the one that each object is to show first.")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that write tiles.")] = 1,
    compress: Annotated[
        list[str] | None,
        typer.Option(
            help="'br', 'br-best' (small, slow) or 'gz': beside each file; in an object store in place of it."
        ),
    ] = None,
) -> None:
    """Write a 3D Tiles 1.1 tileset as files; after an interruption or an import, only what differs."""
    from tiles.batch import write_tileset
    from tiles.places import VARIANTS
    from twin.db.engine import database
    from twin.settings import load

    unknown = set(compress or ()) - VARIANTS.keys()
    if unknown:
        raise InputError(f"'{min(unknown)}' is no compression; known: {', '.join(VARIANTS)}.")
    if theme is not None and profile != "textured":
        raise InputError("--theme chooses among textures: add --profile textured.")
    request = replace(_request(filter, dataset, profile, surfaces=surfaces), theme=theme)
    with database(load()) as opened, console.progress("tiles") as advance:
        written = write_tileset(opened.engine, out, request, advance, jobs=jobs, variants=compress or ())
    console.say(
        f"{out}: {written.objects} buildings in {written.tiles} tiles, {written.kept} of them unchanged; "
        f"{written.size / 1e6:.1f} MB written"
    )


@commands.command(epilog="Example: twin tiles update --jobs 2")
def update(
    jobs: Annotated[int, typer.Option(min=1, help="Processes that write tiles.")] = 1,
) -> None:
    """Make the tiles that imports and 'twin process' changed, for 'twin serve' to send; again: goes on."""
    from tiles.batch import update_store
    from tiles.build import TileRequest, limits_of
    from tiles.store import folder_of
    from twin.db.collections import WHOLE
    from twin.db.engine import database
    from twin.db.query import Selection, View
    from twin.settings import load

    settings = load()
    with database(settings) as opened:
        for collection in WHOLE:
            request = TileRequest(Selection(View(), collection), limits=limits_of(collection))
            with console.progress("tiles") as advance:
                folder = folder_of(settings.home, collection.name)
                done = update_store(opened.engine, folder, request, advance, jobs=jobs)
            console.say(
                f"{collection.name}: {done.tiles} tiles, {done.looked_at} of them where something changed, "
                f"{done.tiles - done.kept} made"
            )


def _request(filter: str | None, dataset: str | None, profile: str, *, surfaces: bool) -> "TileRequest":
    from tiles.build import TileRequest
    from tiles.glb import named_profile
    from tiles.metadata import SURFACE_PROPERTIES

    return TileRequest(
        _selection(filter, dataset),
        surface_properties=tuple(SURFACE_PROPERTIES) if surfaces else (),
        profile=named_profile(profile),
    )


def _selection(filter: str | None, dataset: str | None) -> "Selection":
    from twin.db.collections import BUILDINGS
    from twin.db.filters import compile_filter, parse
    from twin.db.query import Selection, View

    conditions = (compile_filter(parse(filter), BUILDINGS.queryables(View())),) if filter else ()
    return Selection(View(), BUILDINGS, (dataset,) if dataset else (), conditions)


@commands.command(epilog="Example: twin tiles validate tiles/")
def validate(
    path: Annotated[Path, typer.Argument(help="A folder with tileset.json, a tileset file or a GLB.")],
) -> None:
    """Check tilesets, their tiles and metadata; every fault is a line."""
    from tiles.check import check_path

    findings = check_path(path)
    for finding in findings:
        typer.echo(str(finding))
    if findings:
        raise InputError(f"{path}: {len(findings)} faults")
    console.say(f"{path}: no fault found")


@commands.command(epilog="Example: twin tiles export helsinki.pmtiles --filter \"city = 'helsinki'\"")
def export(
    out: Annotated[Path, typer.Argument(help="The file to write, named .3tz or .pmtiles.")],
    tiles: Annotated[
        Path | None, typer.Option(help="A folder that 'twin tiles build' wrote, to be packed as .3tz.")
    ] = None,
    filter: Annotated[str | None, typer.Option(help="CQL2 text: which buildings.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset, primary or not.")] = None,
) -> None:
    """Write tiles as one file: 3D Tiles as .3tz, footprints as vector tiles as .pmtiles."""
    if tiles is not None and (filter or dataset or out.suffix != ".3tz"):
        raise InputError(
            "--tiles names a tileset to pack as .3tz, as it is; leave --filter and --dataset out."
        )
    if out.suffix == ".pmtiles":
        count = _export_vector_tiles(out, filter, dataset)
    else:
        count = _export_tileset(out, tiles, filter, dataset)
    console.say(f"{out}: {count} files, {out.stat().st_size / 1e6:.1f} MB")


def _export_vector_tiles(out: Path, filter: str | None, dataset: str | None) -> int:
    from tiles import vector_archive
    from tiles.build import VectorRequest
    from twin.db.engine import database
    from twin.settings import load

    with database(load()) as opened, console.progress("tiles") as advance:
        return vector_archive.write(opened.engine, out, VectorRequest(_selection(filter, dataset)), advance)


def _export_tileset(out: Path, tiles: Path | None, filter: str | None, dataset: str | None) -> int:
    """Pack a tileset that is there, or one that is built beside the file and removed."""
    from tiles import archive
    from tiles.batch import write_tileset
    from twin.db.engine import database
    from twin.settings import load

    archive.check_name(out)
    if tiles is not None:
        return archive.write(tiles, out)
    with (
        tempfile.TemporaryDirectory(dir=out.parent, prefix=f"{out.name}.") as folder,
        database(load()) as opened,
        console.progress("tiles") as advance,
    ):
        write_tileset(opened.engine, folder, _request(filter, dataset, "standard", surfaces=False), advance)
        return archive.write(Path(folder), out)

"""Reference pages from the code itself: what is declared once is written once."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import orjson
import typer
import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel

from api.app import ROUTERS
from api.groups import AGGREGATE, GROUPBY
from api.parameters import SELECTION
from importers.report import SCHEMA
from twin import cli
from twin.db import schema
from twin.db.keys import SCOPES
from twin.model.attributes import (
    BUILDING_PART,
    BY_NAME,
    CATALOGUE,
    ROOF_SURFACE,
    SURFACE,
    Attribute,
    Group,
    Origin,
    Stage,
)
from twin.settings import Settings

DOCS = Path(__file__).parent


def define_env(env: Any) -> None:
    """Called by mkdocs-macros."""
    for macro in (
        *(import_report, settings, commands, attributes, measures, measure, surface_measures),
        *(building_part_attributes, roof_surface_attributes, surface_attributes, scopes),
        *(code_lists, routes, selection, grouping, tables),
    ):
        env.macro(macro)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Called by mkdocs: adds a page for each computed attribute."""
    for name, attribute in measured().items():
        content = f"# `{attribute.name}`\n\n{{{{ measure({name!r}) }}}}\n"
        address = f"reference/attributes/{name}.md"
        # The pages of their groups lead to them: all in the list beside each page would hide the others.
        files.append(File.generated(config, address, content=content, inclusion=InclusionLevel.NOT_IN_NAV))
    return files


def import_report() -> str:
    """The members of the JSON report of a file."""
    rows = ((f"`{name}`", type_, meaning) for name, type_, meaning in SCHEMA)
    return _table(("Member", "Type", "Meaning"), rows)


def settings() -> str:
    """All settings: variable, default, meaning."""
    rows = (
        (f"`TWIN_{name.upper()}`", _default(field), field.description or "")
        for name, field in Settings.model_fields.items()
    )
    return _table(("Variable", "Default", "Meaning"), rows)


def _default(field: Any) -> str:
    if field.default_factory is not None:
        return "see below"
    return "none" if field.default is None else f"`{field.default}`"


def commands() -> str:
    """All commands with their arguments and options."""
    return "\n\n".join(_command(names, command) for names, command in each_command())


def each_command() -> Iterator[tuple[tuple[str, ...], Any]]:
    """The names that lead to each command, and the command."""
    yield from _below(("twin",), typer.main.get_command(cli.app))


def _below(names: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "commands"):
        yield names, command
        return
    for name, child in command.commands.items():
        yield from _below((*names, name), child)


def _command(names: tuple[str, ...], command: Any) -> str:
    rows = [(f"`{_spelled(parameter)}`", parameter.help or "") for parameter in command.params]
    parts = [f"## `{' '.join(names)}`", inspect.cleandoc(command.help or "")]
    if rows:
        parts.append(_table(("Argument", "Meaning"), rows))
    if command.epilog:
        parts.append("    " + command.epilog.removeprefix("Example: "))
    return "\n\n".join(parts)


def _spelled(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.name).upper() + (" …" if parameter.nargs == -1 else "")
    return ", ".join((*parameter.opts, *parameter.secondary_opts))


def attributes() -> str:
    """The catalogue of attributes, by group."""
    return "\n\n".join(
        f"## {group.value.capitalize()}\n\n{_attributes(a for a in CATALOGUE if a.group == group)}"
        for group in Group
    )


def building_part_attributes() -> str:
    """The attributes of parts that buildings do not have, and the names of those that they share."""
    own = [a for a in BUILDING_PART if a not in CATALOGUE]
    shared = ", ".join(f"`{a.name}`" for a in BUILDING_PART if a in CATALOGUE)
    return f"{_attributes(own)}\n\nThe others are those of buildings: {shared}."


def roof_surface_attributes() -> str:
    """The attributes of roof surfaces."""
    return _attributes(ROOF_SURFACE)


def surface_attributes() -> str:
    """The attributes of every surface, in tiles."""
    return _attributes(SURFACE)


def _attributes(attributes: Iterable[Attribute]) -> str:
    rows = (
        (
            f"`{attribute.name}`",
            attribute.type + (f", {attribute.unit}" if attribute.unit else ""),
            attribute.origin.value,
            attribute.meaning.en + (" *Personal data.*" if attribute.access == "personal" else ""),
        )
        for attribute in attributes
    )
    return _table(("Name", "Type", "Origin", "Meaning"), rows)


def measures(*groups: str) -> str:
    """The computed attributes of some groups, each with its page."""
    return _linked(a for a in CATALOGUE if a.group in groups and a.origin is Origin.COMPUTED)


def surface_measures() -> str:
    """The computed attributes of surfaces, each with its page."""
    return _linked(a for a in dict.fromkeys((*SURFACE, *ROOF_SURFACE)) if a.origin is Origin.COMPUTED)


def _linked(attributes: Iterable[Attribute]) -> str:
    rows = (
        (f"[`{a.name}`](../attributes/{page_name(a)}.md)", a.unit or "", a.meaning.en, a.term or "")
        for a in attributes
    )
    return _table(("Attribute", "Unit", "Meaning", "Term"), rows)


def measured() -> dict[str, Attribute]:
    """The computed attributes of buildings and of surfaces, by the names of their pages."""
    every = dict.fromkeys((*CATALOGUE, *SURFACE, *ROOF_SURFACE))
    return {page_name(a): a for a in every if a.origin is Origin.COMPUTED}


def measure(page: str) -> str:
    """All that is told of a computed attribute: definition, figure, accuracy shown, limits, words."""
    attribute = measured()[page]
    flag = attribute.quality
    known = _told_of(attribute)
    told = {
        "Unit": attribute.unit,
        "Method": attribute.method,
        "Term": attribute.term,
        "Values": ", ".join(f"`{code}`" for code in attribute.codes),
        "Quality": f"in [`{flag}`]({flag}.md)" if flag in BY_NAME else flag,
        "Computed": "by the import" if attribute.stage is Stage.IMPORT else "by `twin process`",
        "Accuracy shown": _accuracy(attribute, known),
        "Known limits": known["limits"],
        "More": f"[{_GROUPS[_group(attribute)]}](../measures/{_group(attribute)}.md), with formulas",
    }
    rows = "\n".join(f"- {name}: {text}" for name, text in told.items() if text)
    figure = f"![{attribute.label.en}](../../images/measures/{page_name(attribute)}.svg){{ width=360 }}"
    words = _table(("Language", "Name", "Meaning"), _words(attribute))
    return f"{attribute.meaning.en}\n\n{figure}\n\n{rows}\n\n{words}"


def _words(attribute: Attribute) -> Iterator[tuple[str, str, str]]:
    meaning = attribute.meaning.by_language()
    return ((language, label, meaning[language]) for language, label in attribute.label.by_language().items())


_GROUPS = {
    "dimensions": "Dimensions",
    "shape": "Shape",
    "envelope": "Envelope and walls",
    "surroundings": "Surroundings",
    "surfaces": "Roof surfaces",
    "quality": "Quality",
}


def _group(attribute: Attribute) -> str:
    """The page with the formulas of an attribute."""
    return attribute.group.value if BY_NAME.get(attribute.name) is attribute else "surfaces"


def page_name(attribute: Attribute) -> str:
    """The name of its page and figure: buildings and their surfaces may have an attribute of one name."""
    of_face = attribute.name in BY_NAME and BY_NAME[attribute.name] is not attribute
    return f"{attribute.name}.face" if of_face else attribute.name


def _told_of(attribute: Attribute) -> dict[str, Any]:
    """What ``measures.yaml`` says of an attribute."""
    return yaml.safe_load((DOCS / "measures.yaml").read_text())[page_name(attribute)]


def _accuracy(attribute: Attribute, known: Mapping[str, Any]) -> str:
    """What an attribute was compared with: the synthetic cities, and what others have published."""
    truth = orjson.loads((DOCS / "truth.json").read_bytes())
    largest = truth["largest"].get(attribute.name) if page_name(attribute) == attribute.name else None
    buildings = f"{truth['buildings']:,} synthetic buildings of both cities"
    found: list[str] = []
    if largest is not None:
        unit = f" {attribute.unit}" if attribute.unit else ""
        allowed = known["tolerance"]["absolute"]
        found.append(f"within {max(largest, _ROUNDING):.1e}{unit} on {buildings} ({allowed:.0e} is allowed)")
    elif BY_NAME.get(attribute.name) is attribute:
        found.append(f"as it must be on each of {buildings}")
    else:
        found.append(f"faces add up to roof and ground of each of {buildings}, to 10⁻⁶")
    return "; ".join([*found, *([known["accuracy"]] if "accuracy" in known else [])])


_ROUNDING = 5e-7
"""Values are stored in millionths."""


def code_lists() -> str:
    """The values of the attributes that take one of a list."""
    rows = ((f"`{a.name}`", ", ".join(f"`{code}`" for code in a.codes)) for a in CATALOGUE if a.codes)
    return _table(("Attribute", "Values"), rows)


def each_route() -> Iterator[Any]:
    """The routes of the API."""
    for router, _ in ROUTERS:
        yield from router.routes


def routes() -> str:
    """All addresses that are served, each with the scope that it needs."""
    rows = (
        (f"`{route.path}`", route.summary or "", scope or "")
        for router, scope in ROUTERS
        for route in cast(list[Any], router.routes)
    )
    return _table(("Address", "Serves", "Scope"), rows)


def scopes() -> str:
    """The scopes of keys."""
    return _table(("Scope", "Opens"), ((f"`{name}`", opens) for name, opens in SCOPES.items()))


def selection() -> str:
    """The parameters that choose features, beside the properties of their collection."""
    rows = ((f"`{p.name}`", p.description) for p in SELECTION)
    return _table(("Parameter", "Meaning"), rows)


def grouping() -> str:
    """The parameters that group and aggregate."""
    return _table(("Parameter", "Meaning"), ((f"`{p.name}`", p.description) for p in (GROUPBY, AGGREGATE)))


def tables() -> str:
    """Tables and views of the database."""
    rows = (
        (f"`{t.name}`", ", ".join(f"`{c}`" for c in t.primary_key.columns))
        for t in schema.metadata.sorted_tables
    )
    return _table(("Table", "Key"), rows)


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)

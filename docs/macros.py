"""Reference pages from the code itself: what is declared once is written once."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import orjson
import typer
import yaml

from api.app import ROUTERS
from api.groups import AGGREGATE, GROUPBY
from api.parameters import SELECTION
from importers.report import SCHEMA
from twin import cli
from twin.db import schema
from twin.db.keys import SCOPES
from twin.model.attributes import BY_NAME, CATALOGUE, ROOF_SURFACE, SURFACE, Attribute, Group, Origin, Stage
from twin.settings import Settings

DOCS = Path(__file__).parent


def define_env(env: Any) -> None:
    """Called by mkdocs-macros."""
    for macro in (
        *(import_report, settings, commands, attributes, measures, surface_measures),
        *(roof_surface_attributes, surface_attributes, scopes),
        *(code_lists, routes, selection, grouping, tables),
    ):
        env.macro(macro)


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
    """The computed attributes of some groups, one section each: declaration, figure, accuracy and limits."""
    return "\n\n".join(_measure(a) for a in CATALOGUE if a.group in groups and a.origin is Origin.COMPUTED)


def surface_measures() -> str:
    """The computed attributes of surfaces, one section each."""
    computed = dict.fromkeys((*SURFACE, *ROOF_SURFACE))
    return "\n\n".join(_measure(a) for a in computed if a.origin is Origin.COMPUTED)


def _measure(attribute: Attribute) -> str:
    flag = attribute.quality
    known = _told_of(attribute)
    told = {
        "Unit": attribute.unit,
        "Method": attribute.method,
        "Term": attribute.term,
        "Values": ", ".join(f"`{code}`" for code in attribute.codes),
        "Quality": f"in [`{flag}`](quality.md#{flag})" if flag in BY_NAME else flag,
        "Computed": "by the import" if attribute.stage is Stage.IMPORT else "by `twin process`",
        "Accuracy shown": _accuracy(attribute, known),
        "Known limits": known["limits"],
    }
    rows = "\n".join(f"- {name}: {text}" for name, text in told.items() if text)
    title = f"### `{attribute.name}` {{ #{attribute.name} }}"
    figure = f"![{attribute.label.en}](../../images/measures/{_figure(attribute)}.svg){{ width=360 }}"
    return f"{title}\n\n{attribute.meaning.en}\n\n{figure}\n\n{rows}"


def _figure(attribute: Attribute) -> str:
    """Buildings and their surfaces may have an attribute of one name, which then is drawn twice."""
    of_face = attribute.name in BY_NAME and BY_NAME[attribute.name] is not attribute
    return f"{attribute.name}.face" if of_face else attribute.name


def _told_of(attribute: Attribute) -> dict[str, Any]:
    """What ``measures.yaml`` says of an attribute."""
    return yaml.safe_load((DOCS / "measures.yaml").read_text())[_figure(attribute)]


def _accuracy(attribute: Attribute, known: Mapping[str, Any]) -> str:
    """What an attribute was compared with: the synthetic cities, and what others have published."""
    truth = orjson.loads((DOCS / "truth.json").read_bytes())
    largest = truth["largest"].get(attribute.name) if _figure(attribute) == attribute.name else None
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

"""Streams XML safely and in bounded memory: the adapter of lxml, which ships no types.

Entities are never resolved from outside, no document type is accepted, libxml2's own limits on
depth, text length and amplification stay on.
"""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol, TypeAlias, cast

from twin.errors import UnreadableFile

_etree: Any = import_module("lxml.etree")
_LIMIT = "XML_PARSE_HUGE"
_ADVICE_OF_PARSER = re.compile(rf",? (try|use) {_LIMIT}( option)?")
_POSITION = re.compile(r", line \d+, column \d+.*$", re.DOTALL)
_LARGEST_LINE = 65_535
"""libxml2 keeps 16 bits for the line of an element, and the whole number only with texts."""
Event: TypeAlias = Literal["start", "end"]


class Element(Protocol):
    """The part of an lxml element that the readers use."""

    @property
    def tag(self) -> str: ...
    @property
    def text(self) -> str | None: ...
    @property
    def attrib(self) -> Mapping[str, str]: ...
    @property
    def sourceline(self) -> int | None: ...
    @property
    def prefix(self) -> str | None: ...
    def get(self, key: str) -> str | None: ...
    def getparent(self) -> "Element | None": ...
    def getprevious(self) -> "Element | None": ...
    def iter(self, tag: str = "*") -> "Iterator[Element]": ...
    def clear(self) -> None: ...
    def remove(self, element: "Element") -> None: ...
    def __iter__(self) -> "Iterator[Element]": ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> "Element": ...


def local_name(tag: str) -> str:
    """``{http://www.opengis.net/gml}Polygon`` to ``Polygon``."""
    return tag.rpartition("}")[2]


def namespace(tag: str) -> str:
    """``{http://www.opengis.net/gml}Polygon`` to ``http://www.opengis.net/gml``, "" for none."""
    return tag[1:].rpartition("}")[0] if tag.startswith("{") else ""


def serialise(element: Element) -> bytes:
    """The element as it stands, without the text behind it."""
    return cast(bytes, _etree.tostring(element, with_tail=False))


def line(element: Element) -> str:
    """``line 812``, for reports.

    Beyond line 65,535 only elements with a text know theirs; for others it is that of the nearest one around.
    """
    around: Element | None = element
    number = element.sourceline or 0
    while number == _LARGEST_LINE and (around := around.getparent()) is not None:
        number = around.sourceline or 0
    return f"line {number}"


def stream(
    path: Path, file: BinaryIO, events: tuple[Event, ...], tags: tuple[str, ...] | None = None
) -> Iterator[tuple[Event, Element]]:
    """Parser events of an open file, only those of ``tags`` where given.

    Raises UnreadableFile with the line where the file is not well-formed, ends too early or
    declares a document type.
    """
    options: dict[str, Any] = {
        "events": events, "resolve_entities": False, "no_network": True, "load_dtd": False,
        "huge_tree": False, "remove_comments": True, "remove_pis": True, "remove_blank_text": True,
    }  # fmt: skip
    if tags is not None:
        options["tag"] = tags
    parser: Any = _etree.iterparse(file, **options)
    try:
        first = next(parser, None)
        if first is None:
            _refuse_empty(path, parser)
            return
        _refuse_document_type(path, first[1])
        yield first
        yield from parser
    except _etree.XMLSyntaxError as error:
        raise UnreadableFile(_message(path, error)) from error


def _refuse_empty(path: Path, parser: Any) -> None:
    if parser.root is not None:
        _refuse_document_type(path, parser.root)


def _refuse_document_type(path: Path, element: Any) -> None:
    if element.getroottree().docinfo.internalDTD is not None:
        raise UnreadableFile(
            f"{path}: line 1: the file declares a document type (DOCTYPE), which a city model never"
            " needs and which is not read for safety; remove the declaration"
        )


def _message(path: Path, error: Any) -> str:
    text = _POSITION.sub("", str(error.msg or error)) or "no element found"
    advice = "the file is damaged there or ends too early: fetch it again or correct it"
    if _LIMIT in text:
        # A limit of the parser, whose own advice is to lift it.
        text = _ADVICE_OF_PARSER.sub("", text)
        advice = "no city model needs that, and it is not read for safety: remove it or split it"
    return f"{path}: line {error.lineno or 1}: {text}; {advice}"


def forget(element: Element) -> list[str]:
    """Free an element that was dealt with; returns the tags of the siblings before it, now removed.

    lxml does not allow to take out the element that an event is about, so it goes one event later.
    """
    element.clear()
    parent = element.getparent()
    removed: list[str] = []
    while parent is not None and (sibling := element.getprevious()) is not None:
        removed.append(sibling.tag)
        parent.remove(sibling)
    return removed

"""CityGML 1.0, 2.0 and 3.0: one member in memory at a time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from importers.citygml_appearance import Paint
from importers.citygml_feature import FeatureParser
from importers.citygml_names import version
from importers.gml import GML_NAMESPACES, gml_id
from importers.gml_curves import Library
from importers.port import ModelMetadata, Refused, says_synthetic
from importers.xml_stream import Element, forget, line, local_name, namespace, stream
from twin.errors import UnknownReferenceSystem, UnreadableFile
from twin.memory import collecting_later
from twin.model.cityobject import CityFeature
from twin.model.crs import parse_reference_system

_MEMBERS = (
    "cityObjectMember", "featureMember", "featureMembers", "appearanceMember", "versionMember",
    "versionTransitionMember",
)  # fmt: skip
_NO_OBJECTS = frozenset({"Version", "VersionTransition"})
_HEAD = frozenset({"name", "description", "boundedBy", "metaDataProperty", *_MEMBERS})
_BLOCK = 1 << 16
_BATCH = 1 << 17
"""Bytes of members whose features are given together."""
_HEAD_MEMBERS = 100
"""A file that states no reference system in its first members is taken to state none."""


class CityGMLModel:
    """An opened CityGML file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._references: dict[str, bool] = {}
        self._templates: dict[str, Element] | None = None
        self.size = path.stat().st_size
        self.position = 0
        self.ledger: Counter[str] = Counter()
        with path.open("rb") as file:
            self.metadata, self._space = _read_head(path, file)

    def __iter__(self) -> Iterator[CityFeature | Refused]:
        self.ledger.clear()
        parser = FeatureParser(self.ledger, self._same_reference, self._paint(), Library(self._template))
        self.position = 0
        error = None
        with self._path.open("rb") as file:
            members = self._members(file)
            while error is None and self.position < self.size:
                with collecting_later():
                    found, error = self._some(parser, members)
                yield from found
        if error is not None:
            raise error

    def _members(self, file: BinaryIO) -> Iterator[Element]:
        """The members of the root, each forgotten when the next one is asked for."""
        for _, member in stream(self._path, file, ("end",), _member_tags(self._space)):
            self.position = min(file.tell(), self.size - 1)
            parent = member.getparent()
            if parent is not None and parent.getparent() is None:
                yield member
                self._note_others(forget(member))
        self.position = self.size

    def _some(
        self, parser: FeatureParser, members: Iterator[Element]
    ) -> tuple[list[CityFeature | Refused], UnreadableFile | None]:
        """The features of the next members, and why there are no more where the file cannot be read on."""
        found: list[CityFeature | Refused] = []
        first = self.position
        try:
            for member in members:
                found.extend(self._features(parser, member))
                if self.position - first > _BATCH:
                    break
        except UnreadableFile as error:
            return found, error
        return found, None

    def _paint(self) -> Paint:
        """The appearances of the whole model, which may stand behind the objects that they are of.

        They are looked for in a pass of their own, and only where a quick look finds any.
        """
        paint = Paint(self._path.parent)
        with self._path.open("rb") as file:
            if not _holds(file, b"appearanceMember"):
                return paint
            file.seek(0)
            # Where the file is damaged is said when the features before that place were given.
            with suppress(UnreadableFile):
                self._take_appearances(file, paint)
        paint.settle(self.ledger)
        return paint

    def _take_appearances(self, file: BinaryIO, paint: Paint) -> None:
        for _, member in stream(self._path, file, ("end",), _member_tags(self._space)):
            parent = member.getparent()
            if parent is not None and parent.getparent() is None:
                for element in member:
                    if local_name(element.tag) == "Appearance":
                        paint.take(element, self.ledger)
                forget(member)

    def _features(self, parser: FeatureParser, member: Element) -> Iterator[CityFeature | Refused]:
        if not len(member):
            self.ledger[f"link {local_name(member.tag)}"] += 1
        for element in member:
            name = local_name(element.tag)
            if name in _NO_OBJECTS:
                self.ledger[name] += 1
            elif name != "Appearance":
                yield from parser.parse(element)

    def _template(self, identifier: str) -> Element | None:
        """The geometry with an id that an object farther on has for its own and others link to."""
        if self._templates is None:
            with suppress(UnreadableFile):
                self._templates = dict(self._find_templates())
        return (self._templates or {}).get(identifier)

    def _find_templates(self) -> Iterator[tuple[str, Element]]:
        """All that can be linked to, in a pass of its own that is made only if it is needed."""
        tags = tuple(f"{{{self._space}}}{name}" for name in ("relativeGMLGeometry", "relativeGeometry"))
        with self._path.open("rb") as file:
            for _, element in stream(self._path, file, ("end",), (*tags, *_member_tags(self._space))):
                if element.tag not in tags:
                    forget(element)
                elif len(element) and (identifier := gml_id(element[0])) is not None:
                    yield identifier, element[0]

    def _note_others(self, tags: list[str]) -> None:
        for name in map(local_name, tags):
            if name not in _HEAD:
                self.ledger[name] += 1

    def _same_reference(self, stated: str) -> bool:
        """Whether an srsName means the same as that of the model, however it is written."""
        expected = self.metadata.reference_system
        if stated == expected:
            return True
        if stated not in self._references:
            self._references[stated] = _same(stated, expected)
        return self._references[stated]


def _holds(file: BinaryIO, text: bytes) -> bool:
    """Whether a file holds a text."""
    before = b""
    while block := file.read(_BLOCK):
        if text in before + block:
            return True
        before = block[-len(text) :]
    return False


def _same(one: str, other: str | None) -> bool:
    try:
        return other is not None and parse_reference_system(one) == parse_reference_system(other)
    except UnknownReferenceSystem:
        return False


def _member_tags(space: str) -> tuple[str, ...]:
    """Qualified names of the members; appearances have a namespace of their own until 3.0."""
    base, _, number = space.rpartition("/")
    spaces = (space, f"{base}/appearance/{number}", *GML_NAMESPACES)
    return tuple(f"{{{where}}}{name}" for where in spaces for name in _MEMBERS)


def _read_head(path: Path, file: BinaryIO) -> tuple[ModelMetadata, str]:
    """Metadata and the namespace of the root; reads on until a reference system is stated."""
    root: Element | None = None
    reference: str | None = None
    texts: dict[str, str] = {}
    members = 0
    for _, element in stream(path, file, ("start",)):
        if root is None:
            root = element
            _check_root(path, root)
        reference = reference or element.get("srsName")
        if local_name(element.tag) in _MEMBERS:
            texts = texts or _texts(root)
            forget_before = element.getprevious()
            if forget_before is not None:
                forget(forget_before)
            members += 1
        if members > _HEAD_MEMBERS or (members and reference):
            break
    if root is None:
        raise UnreadableFile(f"{path}: line 1: the file has no element")
    texts = texts or _texts(root)
    metadata = ModelMetadata(
        format=f"CityGML {version(root.tag)}",
        title=texts.get("name") or texts.get("description"),
        reference_system=reference,
        synthetic=says_synthetic(*texts.values()),
    )
    return metadata, namespace(root.tag)


def _check_root(path: Path, root: Element) -> None:
    if version(root.tag) is None:
        raise UnreadableFile(
            f"{path}: {line(root)}: the root element is {local_name(root.tag)}, not a CityModel of CityGML;"
            " give a CityGML or CityJSON file"
        )


def _texts(root: Element) -> dict[str, str]:
    """Title and description of the model."""
    found = {
        local_name(child.tag): (child.text or "").strip()
        for child in root
        if namespace(child.tag) in GML_NAMESPACES
    }
    return {name: found[name] for name in ("name", "description") if found.get(name)}

"""What the declaration of an attribute holds."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

ValueType: TypeAlias = Literal["text", "integer", "number", "boolean"]
Access: TypeAlias = Literal["public", "personal"]


class Words(NamedTuple):
    """The same words in the languages of both countries, and in English."""

    en: str
    fi: str
    et: str
    sv: str

    def by_language(self) -> dict[str, str]:
        """Each language, as its code of ISO 639-1, with its words."""
        return self._asdict()


class Group(StrEnum):
    """How a viewer groups attributes."""

    IDENTITY = "identity"
    USE = "use"
    DIMENSIONS = "dimensions"
    SHAPE = "shape"
    ENVELOPE = "envelope"
    SURROUNDINGS = "surroundings"
    QUALITY = "quality"


class Origin(StrEnum):
    """Where a value comes from; a value read and a value computed never share a column."""

    TWIN = "twin"
    SOURCE = "source"
    COMPUTED = "computed"


class Stage(StrEnum):
    """When a value becomes known.

    ``IMPORT``: from the object alone, as it is read. The others: by ``twin process`` afterwards,
    into side tables and, of buildings, from there into the read model.
    """

    IMPORT = "import"
    ROOF_FACES = "roof_faces"
    NEIGHBOURS = "neighbours"
    VALIDITY = "validity"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: ``name`` is its column and queryable.

    ``term`` is the name that a standard gives it. ``method`` tells how a computed value comes to
    be. ``quality`` names the attribute that holds the quality flag of each value, or is the flag
    itself where all values have the same.
    """

    name: str
    type: ValueType
    group: Group
    origin: Origin
    label: Words
    meaning: Words
    unit: str | None = None
    codes: tuple[str, ...] = ()
    access: Access = "public"
    in_tiles: bool = False
    stage: Stage = Stage.IMPORT
    term: str | None = None
    method: str | None = None
    quality: str | None = None

"""Writers of the formats that leave the twin; pure."""

from typing import Literal, TypeAlias

Format: TypeAlias = Literal["citygml", "cityjson", "cityjsonseq"]

"""JSON values whose shape is not known yet."""

from typing import Any, TypeAlias, cast

Json: TypeAlias = Any
"""A value as the JSON parser gives it."""


def as_object(value: Json) -> dict[str, Json] | None:
    """The value where it is a JSON object, else None."""
    return cast("dict[str, Json]", value) if isinstance(value, dict) else None


def as_list(value: Json) -> list[Json] | None:
    """The value where it is a JSON array, else None."""
    return cast("list[Json]", value) if isinstance(value, list) else None


def as_text(value: Json) -> str | None:
    """The value where it is a text that is not empty, else None."""
    return value if isinstance(value, str) and value else None

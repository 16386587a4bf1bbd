"""Width and height of an image beside a model, from its first bytes; nothing else of it is read."""

from pathlib import Path

from twin.model.image_names import plain_name

_MOST = 1 << 18
"""A JPEG may have its size behind a preview image of up to 64 kB and a colour profile."""
_PNG = b"\x89PNG\r\n\x1a\n"
_STARTS_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})


def image_size(folder: Path | None, name: str) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG or JPEG within a folder.

    None where it is not there, is of another kind, or its name leads out of the folder.
    """
    plain = plain_name(name)
    if folder is None or plain is None:
        return None
    path = folder / plain
    try:
        if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
            return None
        with path.open("rb") as file:
            head = file.read(_MOST)
    except OSError:
        return None
    return size_of(head)


def size_of(head: bytes) -> tuple[int, int] | None:
    """Width and height by the first bytes of an image; None where it is no PNG or JPEG."""
    found = _png(head) if head.startswith(_PNG) else _jpeg(head[:_MOST])
    return found if found is not None and all(found) else None


def _png(head: bytes) -> tuple[int, int] | None:
    """The IHDR chunk, which is the first (PNG, section 11.2.2)."""
    if len(head) < 24 or head[12:16] != b"IHDR":
        return None
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])


def _jpeg(head: bytes) -> tuple[int, int] | None:
    """The start of frame among the segments (ITU T.81, B.2.2)."""
    if not head.startswith(b"\xff\xd8"):
        return None
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        if head[at + 1] in _STARTS_OF_FRAME:
            return int.from_bytes(head[at + 7 : at + 9]), int.from_bytes(head[at + 5 : at + 7])
        at += 2 + int.from_bytes(head[at + 2 : at + 4])
    return None

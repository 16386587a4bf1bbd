"""Tiles in a place, written so that a killed run leaves whole files and can go on.

A journal in the place names each tile that is there with its ETag. A later run writes only the
tiles whose ETag differs, and removes what is no longer referred to. While a run lasts it adds parts
to the journal, files of their own, since object stores cannot append. A run that came to its end leaves
beside the journal what it had seen, so that the next one need only look at what changed since.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tiles.places import Out, Place, place
from twin.errors import InputError

JOURNAL = ".tiles.journal"
SEEN = ".tiles.seen"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where tiles go, for `tiles.places.place`; ``by_content``: each under a name made of its ETag."""

    out: Out
    variants: tuple[str, ...] = ()
    by_content: bool = False

    @property
    def place(self) -> Place:
        return place(self.out, self.variants)

    def name(self, path: str, etag: str) -> str:
        """The name of the file of a tile."""
        return content_name(etag) if self.by_content else path


def content_name(etag: str) -> str:
    """The name that a tile with a weak ETag has in a store by content."""
    digest = etag.removeprefix('W/"').removesuffix('"')
    return f"{digest[:2]}/{digest[2:]}.glb"


class TileOutput:
    """A place that is new, empty, or has a journal; InputError for any other."""

    def __init__(self, destination: Destination) -> None:
        self._destination = destination
        self._place = destination.place
        self._names = self._place.names()
        self._journals = sorted(filter(_is_journal, self._names), key=_number)
        if self._names and not self._journals:
            raise InputError(f"{destination.out} is not empty and holds no tiles. Name another folder.")
        if not self._journals:
            self._place.write(JOURNAL, b"")
        self._next = _number(self._journals[-1]) + 1 if self._journals else 1

    def known(self) -> dict[str, str]:
        """The ETag of each tile that is whole, by its path."""
        lines = (line for name in self._journals for line in self._place.read(name).splitlines())
        found = dict(map(json.loads, lines))
        return {path: etag for path, etag in found.items() if self._names.issuperset(self._files(path, etag))}

    def seen(self) -> Any:
        """What the last run that came to its end told to `finish`; None where there was none."""
        return json.loads(self._place.read(SEEN)) if SEEN in self._names else None

    def note(self, tiles: Iterable[tuple[str, str]]) -> None:
        """Note in the journal that tiles are there, by path and ETag."""
        self._place.write(f"{JOURNAL}.{self._next}", _lines(tiles))
        self._next += 1

    def forget_seen(self) -> None:
        """What the last run had seen is no longer true of what is there."""
        self._place.remove(self._names & {SEEN})

    def finish(self, tiles: Mapping[str, str], others: Iterable[str], seen: Any = None) -> None:
        """Remove all files but tiles and others with their variants; the journal then names just those.

        ``seen`` is what the tiles show, as JSON; None where nobody is to rely on that.
        """
        self._place.write(JOURNAL, _lines(sorted(tiles.items())))
        kept = {JOURNAL}
        if seen is not None:
            self._place.write(SEEN, json.dumps(seen).encode())
            kept.add(SEEN)
        wanted = {file for path, etag in tiles.items() for file in self._files(path, etag)}
        wanted.update(file for path in others for file in self._place.files_of(path))
        self._place.remove(self._place.names() - wanted - kept)

    def _files(self, path: str, etag: str) -> Sequence[str]:
        return self._place.files_of(self._destination.name(path, etag))


def _lines(tiles: Iterable[tuple[str, str]]) -> bytes:
    return "".join(f"{json.dumps(tile)}\n" for tile in tiles).encode()


def _is_journal(name: str) -> bool:
    main, dot, number = name.rpartition(".")
    return name == JOURNAL or (main == JOURNAL and bool(dot) and number.isdigit())


def _number(journal: str) -> int:
    """Parts come after the journal of an earlier run, in the order in which they were written."""
    return 0 if journal == JOURNAL else int(journal.rpartition(".")[2])

"""Tiles in a place, written so that a killed run leaves whole files and can go on.

A journal in the place names each tile that is there with its ETag. A later run writes only the
tiles whose ETag differs, and removes what is no longer referred to. While a run lasts it adds parts
to the journal, files of their own, since object stores cannot append.
"""

import json
from collections.abc import Iterable, Mapping, Sequence

from tiles.places import Out, place
from twin.errors import InputError

JOURNAL = ".tiles.journal"


class TileOutput:
    """A place that is new, empty, or has a journal; InputError for any other.

    ``out`` and ``variants`` are those of `tiles.places.place`.
    """

    def __init__(self, out: Out, variants: Sequence[str] = ()) -> None:
        self._place = place(out, variants)
        self._names = self._place.names()
        self._journals = sorted(filter(_is_journal, self._names), key=_number)
        if self._names and not self._journals:
            raise InputError(f"{out} is not empty and holds no tiles. Name another folder.")
        if not self._journals:
            self._place.write(JOURNAL, b"")
        self._next = _number(self._journals[-1]) + 1 if self._journals else 1

    def known(self) -> dict[str, str]:
        """The ETag of each tile that is whole, by its path."""
        lines = (line for name in self._journals for line in self._place.read(name).splitlines())
        found = dict(map(json.loads, lines))
        return {path: etag for path, etag in found.items() if self._names.issuperset(self._files(path))}

    def note(self, tiles: Iterable[tuple[str, str]]) -> None:
        """Note in the journal that tiles are there, by path and ETag."""
        self._place.write(f"{JOURNAL}.{self._next}", _lines(tiles))
        self._next += 1

    def finish(self, tiles: Mapping[str, str], others: Iterable[str]) -> None:
        """Remove all files but tiles and others with their variants; the journal then names just those."""
        self._place.write(JOURNAL, _lines(sorted(tiles.items())))
        wanted = {file for path in (*tiles, *others) for file in self._files(path)} | {JOURNAL}
        self._place.remove(self._place.names() - wanted)

    def _files(self, path: str) -> Sequence[str]:
        return self._place.files_of(path)


def _lines(tiles: Iterable[tuple[str, str]]) -> bytes:
    return "".join(f"{json.dumps(tile)}\n" for tile in tiles).encode()


def _is_journal(name: str) -> bool:
    main, dot, number = name.rpartition(".")
    return name == JOURNAL or (main == JOURNAL and bool(dot) and number.isdigit())


def _number(journal: str) -> int:
    """Parts come after the journal of an earlier run, in the order in which they were written."""
    return 0 if journal == JOURNAL else int(journal.rpartition(".")[2])

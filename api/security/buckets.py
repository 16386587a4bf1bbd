"""How often one caller may ask: token buckets in memory that all workers of a server share.

A bucket is one number, the moment at which it will be full again (the "theoretical arrival time" of the
generic cell rate algorithm). A name that is not known has a full bucket, so that where there is no room
the one that is full soonest is forgotten.
"""

import fcntl
import ipaddress
import math
import mmap
import struct
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import IO

_SLOT = struct.Struct("=Qd")
_SLOTS_OF_A_SET = 8
_SETS = 2048
SHARED_BYTES = _SETS * _SLOTS_OF_A_SET * _SLOT.size
"""16,384 callers at once."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of asking: whether there was a token, how many are left, and after how many seconds
    there is one again (where there is none) or the bucket is full.
    """

    allowed: bool
    left: int
    reset_s: int


class Buckets:
    """A bucket of ``size`` tokens for each name, which fills again by ``per_s`` in a second.

    ``shared`` is a file of `SHARED_BYTES`, the same for all workers. ``secret`` keeps anyone from finding
    names that share a place in the table.
    """

    def __init__(
        self,
        per_s: float,
        size: int,
        shared: Path,
        secret: bytes = b"",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._step_s = 1 / per_s
        self._whole_s = size / per_s
        self._secret = secret[:64]
        self._clock = clock
        self._file: IO[bytes] = shared.open("r+b")
        self._table = mmap.mmap(self._file.fileno(), SHARED_BYTES)
        self.policy = f'"requests";q={size};w={math.ceil(size / per_s)}'

    def close(self) -> None:
        """Lets go of the table."""
        self._table.close()
        self._file.close()

    def take(self, name: str) -> Taken:
        """Takes a token out of the bucket of a name, if there is one."""
        digest = blake2b(name.encode("utf-8", "replace"), digest_size=8, key=self._secret).digest()
        number = int.from_bytes(digest, "little") or 1
        with self._alone():
            now = self._clock()
            offset, full_at = self._find(number)
            empty_s = max(full_at - now, 0) + self._step_s
            allowed = empty_s <= self._whole_s + 1e-9
            if allowed:
                _SLOT.pack_into(self._table, offset, number, now + empty_s)
        if not allowed:
            return Taken(False, 0, math.ceil(empty_s - self._whole_s))
        left = int((self._whole_s - empty_s) / self._step_s + 1e-6)
        return Taken(True, left, math.ceil(empty_s))

    def headers(self, taken: Taken) -> dict[str, str]:
        """The fields of draft-ietf-httpapi-ratelimit-headers-10, and when to come again."""
        found = {
            "RateLimit-Policy": self.policy,
            "RateLimit": f'"requests";r={taken.left};t={taken.reset_s}',
        }
        return found if taken.allowed else {**found, "Retry-After": str(taken.reset_s)}

    def _find(self, number: int) -> tuple[int, float]:
        """Where a name is kept, or may be, and when its bucket is full."""
        size = _SLOTS_OF_A_SET * _SLOT.size
        start = number % _SETS * size
        kept = list(_SLOT.iter_unpack(self._table[start : start + size]))
        for place, (other, full_at) in enumerate(kept):
            if other == number:
                return start + place * _SLOT.size, full_at
        soonest = min(range(_SLOTS_OF_A_SET), key=lambda place: kept[place][1])
        return start + soonest * _SLOT.size, 0.0

    @contextmanager
    def _alone(self) -> Generator[None, None, None]:
        # The kernel opens this lock again when its holder dies, which one in memory would not.
        fcntl.lockf(self._file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)


@contextmanager
def shared_table() -> Generator[Path, None, None]:
    """An empty file for the buckets of all workers, for the block."""
    with tempfile.NamedTemporaryFile(prefix="twin-limits-") as file:
        file.truncate(SHARED_BYTES)
        yield Path(file.name)


def address_of(client: tuple[str, int] | None) -> str:
    """By what an address is counted: itself, or of IPv6 the network of 64 bits, which one household has."""
    host = client[0] if client else "unknown"
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host
    if found.version == 4:
        return host
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))

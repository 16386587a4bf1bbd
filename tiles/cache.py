"""Built tiles kept in memory, the least recently used dropped first."""

from collections import OrderedDict
from collections.abc import Hashable


class TileCache:
    """At most ``capacity`` bytes of bodies by key; used by one thread."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._size = 0
        self._bodies: OrderedDict[Hashable, bytes] = OrderedDict()

    def __len__(self) -> int:
        return len(self._bodies)

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._size

    def get(self, key: Hashable) -> bytes | None:
        body = self._bodies.get(key)
        if body is not None:
            self._bodies.move_to_end(key)
        return body

    def put(self, key: Hashable, body: bytes) -> None:
        """Keep a body, unless it alone would push out half of the others."""
        if len(body) > self._capacity // 2:
            return
        self._size += len(body) - len(self._bodies.pop(key, b""))
        self._bodies[key] = body
        while self._size > self._capacity:
            _, oldest = self._bodies.popitem(last=False)
            self._size -= len(oldest)

"""A bounded load on a server: some connections, each asking again as soon as it is answered."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

HOST = "127.0.0.1"


class Unexpected(Exception):
    """A server answered with another status than was asked for."""


@dataclass(slots=True)
class Load:
    """What came of a load; ``latencies_ms`` are in the order of the answers."""

    seconds: float = 0.0
    bytes: int = 0
    latencies_ms: list[float] = field(default_factory=list[float], repr=False)

    @property
    def answers(self) -> int:
        return len(self.latencies_ms)

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds

    @property
    def p99_ms(self) -> float:
        return sorted(self.latencies_ms)[int(0.99 * (self.answers - 1))]


@dataclass(frozen=True, slots=True)
class Asked:
    """What to ask for: ``path`` gives the address of a request by its number, ``headers`` are lines."""

    path: Callable[[int], str]
    status: int = 200
    headers: str = ""


def load(port: int, asked: Asked, *, seconds: float, connections: int = 8) -> Load:
    """Asks a server of this machine for so long; Unexpected where an answer has another status."""
    return asyncio.run(_load(port, asked, seconds, connections))


def once(port: int, asked: Asked) -> Load:
    """One request alone."""
    return load(port, asked, seconds=0.0, connections=1)


async def _load(port: int, asked: Asked, seconds: float, connections: int) -> Load:
    loop, found, numbers = asyncio.get_running_loop(), Load(), iter(range(1_000_000_000))
    started = time.perf_counter()
    ended: list[asyncio.Future[None]] = []
    for _ in range(connections):
        done = loop.create_future()
        ended.append(done)
        await loop.create_connection(
            lambda done=done: _Connection(port, asked, numbers.__next__, started + seconds, found, done),
            HOST,
            port,
        )
    await asyncio.gather(*ended)
    found.seconds = time.perf_counter() - started
    return found


class _Connection(asyncio.Protocol):
    """Writes a request, finds the end of its answer, writes the next; reads no more than that needs."""

    def __init__(
        self,
        port: int,
        asked: Asked,
        number: Callable[[], int],
        until: float,
        found: Load,
        done: asyncio.Future[None],
    ) -> None:
        self._rest = f" HTTP/1.1\r\nHost: {HOST}:{port}\r\n{asked.headers}\r\n"
        self._asked, self._number, self._until, self._found, self._done = asked, number, until, found, done
        self._head = b""
        self._missing: int | None = None
        """Bytes of a body of known length that are not here yet."""
        self._chunked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def _ask(self) -> None:
        self._address = self._asked.path(self._number())
        self._head, self._missing, self._chunked = b"", None, False
        self._asked_at = time.perf_counter()
        self._transport.write(f"GET {self._address}{self._rest}".encode())

    def data_received(self, data: bytes) -> None:
        body = data if self._missing is not None or self._chunked else self._read_head(data)
        if body is None:
            return
        self._found.bytes += len(body)
        if self._chunked:
            self._head = (self._head + body)[-5:]
            ended = self._head == b"0\r\n\r\n"
        else:
            assert self._missing is not None
            self._missing -= len(body)
            ended = self._missing <= 0
        if ended:
            self._answered()

    def _read_head(self, data: bytes) -> bytes | None:
        """The beginning of the body behind the head, once that is whole."""
        self._head += data
        head, end, body = self._head.partition(b"\r\n\r\n")
        if not end:
            return None
        status, *lines = head.lower().split(b"\r\n")
        if int(status.split()[1]) != self._asked.status:
            self._fail(Unexpected(f"{self._address}: {status.decode()} {body[:300]!r}"))
            return None
        self._head = b""
        fields = dict(line.split(b": ", 1) for line in lines if b": " in line)
        self._chunked = fields.get(b"transfer-encoding") == b"chunked"
        self._missing = None if self._chunked else int(fields.get(b"content-length", b"0"))
        return body

    def _answered(self) -> None:
        now = time.perf_counter()
        self._found.latencies_ms.append((now - self._asked_at) * 1000)
        if now < self._until:
            self._ask()
        else:
            self._finish()

    def _finish(self) -> None:
        self._transport.close()
        if not self._done.done():
            self._done.set_result(None)

    def _fail(self, error: Exception) -> None:
        self._transport.close()
        if not self._done.done():
            self._done.set_exception(error)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(exc or Unexpected(f"{self._address}: the connection was closed"))

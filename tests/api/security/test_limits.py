"""How often one may ask: at and past each limit, and what counts as one."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from api.security.buckets import SHARED_BYTES, Buckets, address_of, shared_table
from api.security.caller import closed, here, public
from tests.api.security.asking import bearer, guarded, new_key
from twin.db.engine import Database

FEW = {"rate_limit_per_s": 0.001, "rate_burst": 3}
PATH = "/conformance"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


Made = Callable[[float, int, Clock], Buckets]


@pytest.fixture
def shared() -> Iterator[Path]:
    with shared_table() as path:
        yield path


@pytest.fixture
def made(shared: Path) -> Iterator[Made]:
    with ExitStack() as stack:

        def make(per_s: float, size: int, clock: Clock) -> Buckets:
            buckets = Buckets(per_s, size, shared, b"x", clock)
            stack.callback(buckets.close)
            return buckets

        yield make


def test_a_bucket_empties_and_fills(made: Made) -> None:
    clock = Clock()
    buckets = made(2, 3, clock)
    assert [(t.allowed, t.left) for t in (buckets.take("a") for _ in range(5))] == [
        (True, 2), (True, 1), (True, 0), (False, 0), (False, 0)
    ]  # fmt: skip
    assert buckets.take("b").allowed
    clock.now += 0.49
    assert not buckets.take("a").allowed
    clock.now += 0.01
    assert buckets.take("a").allowed
    assert not buckets.take("a").allowed
    clock.now += 100
    assert [buckets.take("a").allowed for _ in range(4)] == [True, True, True, False]


def test_headers_tell_what_is_left_and_when_to_come_again(made: Made) -> None:
    buckets = made(0.5, 2, Clock())
    first, _, refused = (buckets.headers(buckets.take("a")) for _ in range(3))
    assert first == {"RateLimit-Policy": '"requests";q=2;w=4', "RateLimit": '"requests";r=1;t=2'}
    assert refused["RateLimit"] == '"requests";r=0;t=2'
    assert refused["Retry-After"] == "2"


def test_more_names_than_places_make_no_one_wait(made: Made) -> None:
    clock = Clock()
    buckets = made(1, 2, clock)
    number = SHARED_BYTES // 16
    assert all(buckets.take(f"caller {n}").allowed for n in range(2 * number))
    # The one that asked last is remembered: others were full sooner.
    clock.now += 0.5
    assert [buckets.take("me").allowed for _ in range(3)] == [True, True, False]


def _allowed(path: Path) -> int:
    with closing(Buckets(0.001, 100, path, b"x")) as buckets:
        return sum(buckets.take("a").allowed for _ in range(100))


def test_all_workers_count_together(shared: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, context) as workers:
        assert sum(workers.map(_allowed, [shared, shared])) == 100


def test_past_the_limit_requests_are_refused(database: Database) -> None:
    with guarded(database, public(), **FEW) as client:
        answers = [client.get(PATH) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert [answer.headers["ratelimit"].partition(";t")[0] for answer in answers[:3]] == [
            f'"requests";r={left}' for left in (2, 1, 0)
        ]
        refused = answers[-1]
        assert refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) > 900
        assert "Ask again in" in refused.json()["detail"]
        page = client.request("GET", PATH, headers={"Origin": "https://maps.example"})
        assert page.headers["access-control-allow-origin"] == "*"
        assert "RateLimit" in page.headers["access-control-expose-headers"]


def test_each_key_counts_for_itself(database: Database) -> None:
    first, second = new_key(database, "read"), new_key(database, "read")
    with guarded(database, closed(), **{**FEW, "rate_burst": 6}) as client:

        def ask(key: str) -> int:
            return client.request("GET", PATH, headers=bearer(key)).status_code

        assert [ask(first) for _ in range(7)] == [200] * 6 + [429]
        assert ask(second) == 200
        # Two keys were looked up, which the address paid for.
        assert [client.get(PATH).status_code for _ in range(5)] == [200] * 4 + [429]


def test_guessing_keys_is_counted_by_the_address(database: Database) -> None:
    with guarded(database, closed(), **FEW) as client:
        found = [
            client.request("GET", PATH, headers=bearer(f"twin_{n:08}_{'x' * 43}")).status_code
            for n in range(4)
        ]
        assert found == [401, 401, 401, 429]


def test_this_machine_alone_is_not_counted_unless_wanted(database: Database) -> None:
    with guarded(database, here(), rate_burst=1) as client:
        answers = [client.get(PATH) for _ in range(3)]
        assert {answer.status_code for answer in answers} == {200}
        assert "ratelimit" not in answers[0].headers
    with guarded(database, here(), **FEW) as client:
        assert [client.get(PATH).status_code for _ in range(4)][-1] == 429
    with guarded(database, public(), rate_limit_per_s=0, rate_burst=1) as client:
        assert {client.get(PATH).status_code for _ in range(3)} == {200}


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("::ffff:192.0.2.7", 1), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (("a socket", 0), "a socket"),
        (None, "unknown"),
    ],
)
def test_what_counts_as_one_address(client: tuple[str, int] | None, expected: str) -> None:
    assert address_of(client) == expected

"""Progress where there is no terminal: a line now and then, with rate and remaining time."""

import pytest

from twin import console


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands where its only member says."""
    now = [100.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    return now


def test_lines_have_rate_and_remaining_time(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress("a.gml", of_bytes=True) as advance:
        advance(0, 40_000_000)
        clock[0] += 4.0
        advance(5_000_000, 40_000_000)
        clock[0] += 4.0
        advance(10_000_000, 40_000_000)
        clock[0] += 6.0
        advance(40_000_000, 40_000_000)
    assert capsys.readouterr().err.splitlines() == [
        "a.gml: 25 %, 1.2 MB/s, 24 s left",
        "a.gml: 100 %, 2.9 MB/s, 0 s left",
    ]


def test_what_was_there_before_is_no_speed(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress("cells") as advance:
        advance(50, 100)
        clock[0] += 10.0
        advance(50, 100)
        clock[0] += 10.0
        advance(60, 100)
        advance(1, 0)
    assert capsys.readouterr().err.splitlines() == ["cells: 50 %", "cells: 60 %, 0.5/s, 80 s left"]

"""The API beside tipg on few buildings, by processor time alone, so that a busy machine does not decide.

It is what the tests run. `benchmarks.bench_api` measures the same questions over 100,000 buildings.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.api_peers import serving
from benchmarks.api_questions import OURS, TIPG, Compared, compared, flatten, sample
from benchmarks.bench_api import Bench, ratios
from benchmarks.server import Server
from twin.db import layout

ROUNDS, SECONDS, WARMING_S = 2, 0.25, 0.1
LEVEL = 12
"""Its tiles have as many of the few buildings as those of 14 have of many."""


def measured(there: Server, home: Path) -> Iterator[tuple[Compared, float]]:
    """The questions that have a bar, and how many times the processor time of ours that of tipg is.

    Raises `benchmarks.peers.Unavailable` where there is no tipg. The peers' flat table is gone afterwards.
    """
    with ExitStack() as stack:
        session = stack.enter_context(there.session(layout.DATABASE))
        flatten(session)
        stack.callback(session.execute, "DROP SCHEMA peers CASCADE")
        drawn = sample(session)
        running = {name: stack.enter_context(serving(name, there, home)) for name in (OURS, TIPG)}
        bench = Bench(there, running, ROUNDS, SECONDS, WARMING_S)
        for question in compared(drawn, "", len(drawn.ids), LEVEL):
            if question.bar is not None:
                yield question, ratios(bench.measure(question.asked), OURS)[1]

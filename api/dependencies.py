"""What routes depend on: the database and the view."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from api import parameters
from api.area_coverage import Coverages
from api.conditional import Datasets, Revisions
from api.feature_memory import FeatureMemory
from api.query import parameters_of
from api.security.caller import SCENARIO, caller_of, require
from api.security.guard import Guard
from twin.db.pool import ReadPool
from twin.db.query import View
from twin.db.uploads import Store
from twin.errors import DatabaseUnavailable
from twin.settings import Settings


class Downloads:
    """How many downloads may run beside the other requests: each holds a connection to its end."""

    def __init__(self, most: int) -> None:
        self._free = most

    @contextmanager
    def one(self) -> Generator[None, None, None]:
        """Room for a download; DatabaseUnavailable where there is none."""
        if self._free < 1:
            raise DatabaseUnavailable("As many downloads run as may. Try again in a moment.")
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


@dataclass(frozen=True, slots=True)
class Service:
    """What the application was made with, for the routes; without a store nothing is uploaded."""

    pool: ReadPool
    settings: Settings
    guard: Guard
    revisions: Revisions
    datasets: Datasets
    store: Store | None
    downloads: Downloads
    features: FeatureMemory
    coverages: Coverages


def service(request: Request) -> Service:
    """The service that answers the request."""
    return cast(Service, request.app.state.service)


async def reader(request: Request) -> ReadPool:
    """Connections that may only read."""
    return service(request).pool


async def current_view(request: Request) -> View:
    """The time and the scenario of a request, and what of the data its caller may see."""
    given, caller = parameters_of(request), caller_of(request)
    when = given.get(parameters.DATETIME.name)
    if (scenario := given.get(parameters.SCENARIO.name)) is not None:
        require(request, SCENARIO)
    return View(
        as_of=None if when is None else parameters.moment(when),
        scenario=scenario,
        scopes=caller.levels,
        cities=caller.cities,
    )


Reader = Annotated[ReadPool, Depends(reader)]
CurrentView = Annotated[View, Depends(current_view)]

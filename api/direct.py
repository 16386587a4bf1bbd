"""Answers GET without what FastAPI does at every request, as pure ASGI.

FastAPI matches a request against each router anew, opens three exit stacks and solves dependencies as if
each could be anything, which takes longer than most answers here. Routes, dependencies and documentation
stay as they are declared; what a route calls is found out once. Routes that take or give what FastAPI has
to convert, such as bodies, stay with FastAPI.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast, get_args, get_origin, get_type_hints

from fastapi import APIRouter, FastAPI, Request, Response, params
from fastapi.routing import APIRoute
from starlette.convertors import IntegerConvertor, PathConvertor, StringConvertor
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Call = Callable[..., Awaitable[Any]]
Routes = Iterable[tuple[APIRouter, Sequence[Call]]]
"""Routers, and what is called before each of their routes."""

_OF_PATHS = {str: (StringConvertor, PathConvertor), int: (IntegerConvertor,)}
"""The convertors of Starlette that give a type as it is wanted."""


_DEEPEST = 16
"""Slashes of paths up to which routes are sorted by them: anybody may send more."""


class _Converted(Exception):
    """FastAPI has to convert what a function takes or gives."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One call: which arguments are the request, parameters of the path, and results of earlier steps."""

    call: Call
    request: str | None
    path: tuple[str, ...]
    others: tuple[tuple[str, int], ...]

    def given(self, request: Request, done: Sequence[Any]) -> dict[str, Any]:
        """The arguments, where so much is done."""
        found = {name: done[index] for name, index in self.others}
        if self.request is not None:
            found[self.request] = request
        for name in self.path:
            found[name] = request.path_params[name]
        return found


@dataclass(frozen=True, slots=True)
class _Known:
    """A route with the steps to its answer, each once; without any, FastAPI answers."""

    route: APIRoute
    steps: tuple[_Step, ...]

    @classmethod
    def of(cls, route: APIRoute, before: Sequence[Call]) -> "_Known":
        try:
            if not issubclass(_hints(route.endpoint)["return"], Response):
                raise _Converted
            steps: dict[Call, _Step] = {}
            for call in (*before, route.endpoint):
                _add(steps, call, route)
            return cls(route, tuple(steps.values()))
        except (_Converted, TypeError):
            return cls(route, ())

    def may_have(self, slashes: int) -> bool:
        """Whether a path of the route can have so many slashes."""
        least = self.route.path.count("/")
        if any(isinstance(each, PathConvertor) for each in self.route.param_convertors.values()):
            return slashes >= least
        return slashes == least

    async def answer(self, request: Request) -> Response:
        done: list[Any] = []
        for step in self.steps:
            done.append(await step.call(**step.given(request, done)))
        return done[-1]


def _hints(call: Call) -> dict[str, Any]:
    function = call if inspect.isfunction(call) else type(call).__call__
    return get_type_hints(function, include_extras=True)


def _add(steps: dict[Call, _Step], call: Call, route: APIRoute) -> int:
    """Adds a call behind those that it needs; its place. Raises _Converted where only FastAPI can make it."""
    if call in steps:
        return list(steps).index(call)
    if not inspect.iscoroutinefunction(call if inspect.isfunction(call) else type(call).__call__):
        raise _Converted
    request: str | None = None
    path: list[str] = []
    others: list[tuple[str, int]] = []
    for name, kind in _hints(call).items():
        if name == "return":
            continue
        if kind is Request:
            request = name
        elif (needed := _needed(kind)) is not None:
            others.append((name, _add(steps, needed, route)))
        elif _is_of_the_path(name, kind, route):
            path.append(name)
        else:
            raise _Converted
    steps[call] = _Step(call, request, tuple(path), tuple(others))
    return len(steps) - 1


def _needed(kind: Any) -> Call | None:
    """What a dependency is found by."""
    if get_origin(kind) is not Annotated:
        return None
    found = [more.dependency for more in get_args(kind)[1:] if isinstance(more, params.Depends)]
    return cast(Call, found[0]) if found else None


def _is_of_the_path(name: str, kind: Any, route: APIRoute) -> bool:
    return isinstance(route.param_convertors.get(name), _OF_PATHS.get(kind, ()))


class Direct:
    """Middleware next to the routes of an application."""

    def __init__(self, app: ASGIApp, routes: Routes) -> None:
        self._app = app
        self._known = [
            _Known.of(route, before)
            for router, before in routes
            for route in router.routes
            if isinstance(route, APIRoute) and "GET" in (route.methods or ())
        ]
        self._of_depth: dict[int, list[_Known]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and not scope.get("root_path"):
            for known in self._at_depth(scope["path"].count("/")):
                if found := known.route.path_regex.match(scope["path"]):
                    if known.steps:
                        _select(scope, known.route, found)
                        await _answer(known, scope, receive, send)
                        return
                    break
        await self._app(scope, receive, send)

    def _at_depth(self, slashes: int) -> Sequence[_Known]:
        """The routes whose paths may have so many slashes, in their order."""
        if slashes > _DEEPEST:
            return self._known
        if (found := self._of_depth.get(slashes)) is None:
            found = [known for known in self._known if known.may_have(slashes)]
            self._of_depth[slashes] = found
        return found


def _select(scope: Scope, route: APIRoute, found: "re.Match[str]") -> None:
    """Puts into a scope what routing does."""
    given: Mapping[str, str] = found.groupdict()
    scope["path_params"] = {name: route.param_convertors[name].convert(text) for name, text in given.items()}
    scope["route"], scope["endpoint"] = route, route.endpoint
    scope.setdefault("router", cast(FastAPI, scope["app"]).router)


async def _answer(known: _Known, scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive, send)
    started = False

    async def watched(message: Message) -> None:
        nonlocal started
        started = True
        await send(message)

    try:
        response = await known.answer(request)
        await response(scope, receive, watched)
    except Exception as error:
        handler = None if started else _handler(cast(FastAPI, scope["app"]), error)
        if handler is None:
            raise
        response = await handler(request, error)
        await response(scope, receive, send)


def _handler(app: FastAPI, error: Exception) -> Callable[[Request, Exception], Awaitable[Response]] | None:
    """What answers an error; those that nobody foresaw are left to the outermost middleware."""
    handlers = cast(dict[Any, Any], app.exception_handlers)
    kinds = (kind for kind in type(error).__mro__ if kind not in {Exception, BaseException, object})
    return next((handlers[kind] for kind in kinds if kind in handlers), None)

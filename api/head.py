"""Answers HEAD as GET, without the body (RFC 9110, 9.3.2), as pure ASGI."""

from anyio import CancelScope
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Head:
    """Middleware: what is behind it sees GET, and is stopped once its body would go on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        with CancelScope() as answered:

            async def head_alone(message: Message) -> None:
                if message["type"] == "http.response.start":
                    await send(message)
                    await send({"type": "http.response.body"})
                elif message.get("more_body"):
                    answered.cancel()

            await self._app({**scope, "method": "GET"}, receive, head_alone)

"""Signing in with a browser: the page, and the cookie that the viewer and its downloads bring along."""

from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Request, Response

from api import formats
from api.dependencies import service
from api.html import documents as pages
from api.html.language import LANG
from api.parameters import documented
from api.security import sessions
from api.security.caller import CHALLENGE, Caller, caller_of
from api.security.origins import is_own
from api.security.refusal import Refusal

router = APIRouter(tags=["Session"])

MAX_BODY_BYTES = 16 * 1024
FORM = "application/x-www-form-urlencoded"
_BODY = {"requestBody": {"content": {FORM: {"schema": {
    "type": "object", "properties": {"key": {"type": "string", "description": "A key or token."}}
}}}}}  # fmt: skip


OTHER_SITES = "A page of another site asks"
_REFUSED: dict[int | str, dict[str, object]] = {
    401: {"description": "No key or token was sent, or it opens nothing"},
    403: {"description": OTHER_SITES},
}


@router.get(
    "/session",
    summary="Who asks, and what they may",
    openapi_extra=documented(formats.OF_DOCUMENT, LANG),
)
async def get_session(request: Request) -> Response:
    """As HTML with a form to sign in, for the viewer and its downloads."""
    caller = caller_of(request)
    cities = None if caller.cities is None else sorted(caller.cities)
    told = {"name": caller.name, "identified": caller.identified, "scopes": sorted(caller.scopes)}
    answer = pages.session(request, {**told, "cities": cities})
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.post(
    "/session",
    summary="Begin a session",
    status_code=204,
    responses={
        204: {"description": "A cookie stands for the key or token of the request"},
        303: {"description": "The same, to a form; on to the viewer"},
        **_REFUSED,
    },
    openapi_extra=_BODY,
)
async def begin_session(request: Request) -> Response:
    """With a key or token in the header, or as `key` in a form. The cookie counts for reading alone."""
    _only_own_pages(request)
    given = await _form(request)
    caller = caller_of(request) if given is None else await _identified(request, given)
    if not caller.identified:
        raise HTTPException(401, "A session stands for a key or token; send one.", CHALLENGE)
    guard = service(request).guard
    kept = sessions.set_cookie(guard.sealed(caller), secure=request.url.scheme == "https")
    headers = {"Set-Cookie": kept, "Cache-Control": "no-store"}
    if given is None:
        return Response(status_code=204, headers=headers)
    return Response(status_code=303, headers={**headers, "Location": "/"})


@router.delete(
    "/session", summary="End a session", status_code=204, responses={403: {"description": OTHER_SITES}}
)
async def end_session(request: Request) -> Response:
    """The browser forgets the cookie."""
    gone = sessions.set_cookie("", secure=request.url.scheme == "https")
    return Response(status_code=204, headers={"Set-Cookie": gone, "Cache-Control": "no-store"})


def _only_own_pages(request: Request) -> None:
    """Nobody is to be signed in by a page of another site."""
    origin = request.headers.get("origin")
    if origin and not is_own(origin, request.headers.get("host", "")):
        raise HTTPException(403, "A page of another site may not send this.")


async def _form(request: Request) -> str | None:
    """The key that a form sends; None where the request is none."""
    if not request.headers.get("content-type", "").startswith(FORM):
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(401, "That is no key.", CHALLENGE)
    return parse_qs(body.decode("latin-1")).get("key", [""])[0].strip()


async def _identified(request: Request, given: str) -> Caller:
    try:
        return await service(request).guard.identify(given)
    except Refusal as refusal:
        raise HTTPException(refusal.status, refusal.detail, refusal.headers) from None

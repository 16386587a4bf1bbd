"""All features that a request chooses, in one answer that is written while it is read."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse
from starlette.types import Send

from api import formats, parameters
from api.collections import Chosen, systems_of
from api.conditional import cache_headers, entity_tag, matches, not_modified
from api.dependencies import Reader, Service, service
from api.encoding import Encoding, encoding
from api.features import PROPERTIES, now
from api.paging import SORTBY, sorts
from api.parameters import CRS, SELECTION, documented
from twin.db.feature_query import items
from twin.db.pool import ReadPool
from twin.db.query import Statement

router = APIRouter()

ROWS_OF_A_PART = 2000


@router.get(
    "/collections/{collection}/download",
    summary="All features that are chosen, as one file",
    tags=["Features"],
    responses=formats.responses(formats.OF_ITEMS, "A file of all features"),
    openapi_extra=documented(formats.parameter(formats.OF_ITEMS), CRS, SORTBY, PROPERTIES, *SELECTION),
)
async def get_download(request: Request, selection: Chosen, pool: Reader) -> Response:
    """As items, without pages: the state of one moment, however many features there are."""
    given, collection = request.query_params, selection.collection
    form = formats.asked(request, collection, formats.OF_ITEMS)
    system = parameters.system(given, CRS.name, systems_of(collection))
    order = sorts(parameters.names(given, SORTBY.name), selection.queryables)
    encoded = encoding(form, selection, system, parameters.names(given, PROPERTIES.name))
    known = service(request)
    tag = entity_tag(request, f"{await known.revisions.digest()} {form.name}", selection.view.scopes)
    headers = cache_headers(tag, selection.view.scopes) | {
        "Content-Crs": f"<{system.uri}>",
        "Content-Disposition": f'attachment; filename="{collection.name}.{form.extension}"',
        "Vary": "Accept",
    }
    if matches(request, tag):
        return not_modified(headers)
    statement = items(selection, None, columns=encoded.columns, order=order, outputs=encoded.outputs)
    parts = _parts(known, pool, statement, encoded)
    # With the first rows at hand, what can go wrong has gone wrong and is answered as a problem.
    first = await anext(parts)
    return _Download(_behind(first, parts), headers=headers, media_type=form.media_type)


async def _parts(
    known: Service, pool: ReadPool, statement: Statement, encoded: Encoding
) -> AsyncGenerator[bytes, None]:
    writer = encoded.writer({"timeStamp": now()})
    head = writer.start()
    with known.downloads.one():
        async with aclosing(pool.stream(statement, ROWS_OF_A_PART)) as stream:
            async for rows in stream:
                part = await to_thread.run_sync(lambda read: writer.part(encoded.read(read)), rows)
                yield head + part
                head = b""
    yield head + writer.finish()


async def _behind(first: bytes, parts: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(parts):
        yield first
        async for part in parts:
            yield part


class _Download(StreamingResponse):
    """Gives the connection back at once when the client goes away."""

    async def stream_response(self, send: Send) -> None:
        async with aclosing(cast(AsyncGenerator[bytes, None], self.body_iterator)):
            await super().stream_response(send)

"""All features that a request chooses, in one answer that is written while it is read."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, cast

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
from api.query import parameters_of
from twin.db.feature_query import Sort, items
from twin.db.pool import ReadPool, Row
from twin.db.query import Selection
from twin.errors import InvalidParameter

router = APIRouter()

ROWS_OF_A_PART = 2000
ROWS_OF_A_PAGE = 500
"""Of formats that need more than the row of a feature."""


@router.get(
    "/collections/{collection}/download",
    summary="All features that are chosen, as one file",
    tags=["Features"],
    responses=formats.responses(formats.OF_DOWNLOADS, "A file of all features"),
    openapi_extra=documented(formats.parameter(formats.OF_DOWNLOADS), CRS, SORTBY, PROPERTIES, *SELECTION),
)
async def get_download(request: Request, selection: Chosen, pool: Reader) -> Response:
    """As items, without pages: the state of one moment, however many features there are."""
    given, collection = parameters_of(request), selection.collection
    form = formats.asked(request, collection, formats.OF_DOWNLOADS)
    system = parameters.system(given, CRS.name, systems_of(collection))
    order = sorts(parameters.names(given, SORTBY.name), selection.queryables)
    encoded = await encoding(form, selection, system, parameters.names(given, PROPERTIES.name), pool)
    if encoded.order and order:
        raise InvalidParameter(f"{form.title} has the parts of a building together; leave 'sortby' out.")
    order = order or encoded.order
    known = service(request)
    tag = entity_tag(request, f"{await known.revisions.digest()} {form.name}", selection.view.scopes)
    headers = cache_headers(tag, selection.view.scopes) | formats.headers(form, system)
    headers["Content-Disposition"] = f'attachment; filename="{collection.name}.{form.extension}"'
    if matches(request, tag):
        return not_modified(headers)
    if encoded.fetch is None:
        statement = items(selection, None, columns=encoded.columns, order=order, outputs=encoded.outputs)
        rows = pool.stream(statement, ROWS_OF_A_PART)
    else:
        rows = _pages(pool, selection, order, encoded)
    parts = _parts(known, rows, encoded)
    # With the first rows at hand, what can go wrong has gone wrong and is answered as a problem.
    first = await anext(parts)
    return _Download(_behind(first, parts), headers=headers, media_type=form.media_type)


async def _pages(
    pool: ReadPool, selection: Selection, order: Sequence[Sort], encoded: Encoding
) -> AsyncGenerator[Sequence[Row], None]:
    """The rows page by page: what is fetched for them must not wait for a second connection."""
    after: tuple[Any, ...] | None = None
    while True:
        page = items(selection, ROWS_OF_A_PAGE, after, encoded.columns, order, encoded.outputs)
        if not (rows := await pool.fetch(page)):
            return
        yield rows
        after = (*(rows[-1][f"sort_{index}"] for index in range(len(order))), rows[-1]["id"])


async def _parts(
    known: Service, source: AsyncGenerator[Sequence[Row], None], encoded: Encoding
) -> AsyncGenerator[bytes, None]:
    writer = encoded.writer({"timeStamp": now()})
    head = writer.start()
    with known.downloads.one():
        async with aclosing(source):
            async for rows in source:
                found = rows if encoded.fetch is None else await encoded.fetch(rows)
                part = await to_thread.run_sync(lambda read: writer.part(encoded.read(read)), found)
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

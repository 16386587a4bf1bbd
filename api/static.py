"""Files of pages, each sent in one piece: answers in parts are not compressed."""

from typing import Any

from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

WHOLE_BYTES = 16 * 2**20


class PageFiles(StaticFiles):
    """A folder of scripts, styles and the like, below 16 MiB each."""

    def file_response(self, *args: Any, **options: Any) -> Response:
        """The file, or that it is known already."""
        response = super().file_response(*args, **options)
        if isinstance(response, FileResponse):
            response.chunk_size = WHOLE_BYTES
        return response

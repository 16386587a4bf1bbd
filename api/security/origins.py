"""Pages of which sites may use the API: the CORS list, and the check of what writes."""

from typing import Any

from api.hosts import hostname, is_loopback

EXPOSED = [
    "Link", "ETag", "Retry-After", "Content-Crs", "Content-Disposition", "WWW-Authenticate",
    "RateLimit", "RateLimit-Policy",
]  # fmt: skip
_LOCAL_PAGES = r"https?://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?"


class Origins:
    """The sites whose pages may read, by their origins.

    Without a list: where only this machine is served the pages of this machine, else all, since their
    readers then see what everyone sees: no browser sends cookies along.
    """

    def __init__(self, listed: str | None, *, here: bool) -> None:
        self._local = here and listed is None
        default = "" if here else "*"
        text = default if listed is None else listed
        self._listed = [origin.strip().rstrip("/") for origin in text.split(",") if origin.strip()]

    def cors(self) -> dict[str, Any]:
        """The arguments of Starlette's CORSMiddleware."""
        return {
            "allow_origins": self._listed,
            "allow_origin_regex": _LOCAL_PAGES if self._local else None,
            "allow_methods": ["GET", "HEAD", "POST"],
            "allow_headers": ["*"],
            "expose_headers": EXPOSED,
        }

    def may_ask(self, origin: str, host: str) -> bool:
        """Whether a page may send what is no plain reading, such as a filter by POST."""
        if is_own(origin, host) or "*" in self._listed or origin in self._listed:
            return True
        return self._local and is_loopback(hostname(origin.partition("://")[2]))


def is_own(origin: str, host: str) -> bool:
    """Whether a page is of the host that it asks; a proxy may have ended TLS in between."""
    return host != "" and origin.partition("://")[2] == host

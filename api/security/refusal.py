"""What is refused before a route is reached."""

from collections.abc import Mapping


class Refusal(Exception):
    """Ends a request: status, kind of problem in words, what is wrong and how to mend it, headers."""

    def __init__(self, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})


def invalid(detail: str) -> Refusal:
    """The refusal of a key or token that opens nothing (RFC 6750, 3.1)."""
    return Refusal(
        401, "Unauthorized", detail, {"WWW-Authenticate": 'Bearer realm="twin", error="invalid_token"'}
    )

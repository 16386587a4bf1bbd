"""What `twin fetch` can get: the files that a publisher's page links to.

No address of a file is known to this program: publishers move them. The page is known, and what the
links to its models look like.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from importers.download import opened
from importers.sources import ESTONIA, HELSINKI, Source
from twin.errors import InputError

_LONGEST_PAGE = 5_000_000
_MODEL = r"\.(?:gml|xml|json|jsonl|zip|gz)$"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A name to ask for, whose it is, and a pattern of the addresses of its files, small letters or not."""

    name: str
    source: Source
    files: str

    @property
    def page(self) -> str:
        """Where people get it."""
        return self.source.page or ""

    def terms(self) -> str:
        """Publisher and licence, as they have to be shown."""
        return f"{self.source.title}: {self.source.publisher}, {self.source.licence}"


DELIVERIES = (
    Delivery("helsinki", HELSINKI, rf"citygml.*{_MODEL}"),
    Delivery("tallinn", ESTONIA, rf"lod2\W*tallinn.*{_MODEL}"),
)


def find(name: str, added: Sequence[Source] = ()) -> Delivery:
    """The delivery of that name; InputError names those that there are."""
    own = (Delivery(s.name, s, s.files or _MODEL) for s in added if s.page)
    known = {delivery.name: delivery for delivery in (*DELIVERIES, *own)}
    if name not in known:
        raise InputError(f"There is no source '{name}' to fetch; known: {', '.join(known)}.")
    return known[name]


def links(delivery: Delivery) -> list[str]:
    """Addresses of files that the page links to, each once, in its order.

    Raises Unreachable where there is no way to the page.
    """
    with opened(delivery.page) as answer:
        text = answer.read(_LONGEST_PAGE).decode("utf-8", "replace")
        base = answer.url
    page = _Page()
    page.feed(text)
    pattern = re.compile(delivery.files, re.IGNORECASE)
    found = (urljoin(base, link.strip()) for link in page.links)
    return [url for url in dict.fromkeys(found) if pattern.search(_without_query(url))]


def _without_query(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"


class _Page(HTMLParser):
    """Gathers the links of a web page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links.extend(value for name, value in attrs if tag == "a" and name == "href" and value)

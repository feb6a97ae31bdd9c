"""Walk through the pages as a browser would, and read of each what it would run, load and send."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

BASE = "/headwater"
# What stands in an address for what a route names, in the org of a_working_org.sql and a_record.sql.
KNOWN = {
    "assessment": "2", "check_id": "email_missing", "cluster_id": "1", "document": "suite", "error_id": "7",
    "form": "csv", "name": "pages.css",
    "object": "Contact", "org": "demo", "push": "contacts", "record_id": "003000000000001AAA", "run_id": "50",
}  # fmt: skip
PLACES = ("href", "src", "action", "formaction", "data", "poster", "xlink:href")


def every_route() -> list[Any]:
    """Return every route of the pages as they are now."""
    from headwater.ui.app import build_pages

    return list(build_pages(lambda: None).routes)  # type: ignore[arg-type, return-value]


def filled(path: str, value: str = "") -> str:
    """Return a route's path with its parts filled: with a value, or with what is there."""
    return re.sub(r"{(\w+)[^}]*}", lambda part: quote(value or KNOWN.get(part[1], "x"), safe=""), path)


@dataclass(slots=True)
class Form:
    """Hold a form of a page: where it goes, and the names that it sends."""

    action: str
    method: str
    names: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """Read a page as a browser does: its tags, where they lead, its forms."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.forms: list[Form] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag == "form":
            self.forms.append(Form(action=given.get("action", ""), method=given.get("method", "get").lower()))
        elif given.get("name") and self.forms and tag in ("input", "select", "textarea", "button"):
            self.forms[-1].names.append(given["name"])

    @property
    def places(self) -> list[str]:
        """Return every address in the page."""
        return [given[place] for _, given in self.tags for place in PLACES if place in given]


def crawl(client: Any, *starts: str, most: int = 120) -> Iterator[tuple[str, Any]]:
    """Yield every answer that can be reached by links of ours, as (path with query, answer); one of each kind.

    Pages that differ only in values of their address are asked twice at most: their links are of the same kind.
    """
    waiting, seen, kinds = list(starts), set(starts), dict[tuple[str, frozenset[str]], int]()
    while waiting and most:
        path = waiting.pop(0)
        answer = client.get(path)
        most -= 1
        yield path, answer
        if not answer.headers.get("content-type", "").startswith("text/html"):
            if "location" not in answer.headers:
                continue
            links = [answer.headers["location"]]
        else:
            page = Page(answer.text)
            links = [given["href"] for tag, given in page.tags if tag == "a" and "href" in given]
        for link in links:
            whole = urlsplit(urljoin(path, link))
            if whole.netloc or not whole.path.startswith("/headwater/"):
                continue
            found = f"{whole.path}?{whole.query}" if whole.query else whole.path
            kind = ("/".join(whole.path.split("/")[:3]), frozenset(name for name, _ in parse_qsl(whole.query)))
            if found not in seen and kinds.get(kind, 0) < 2:
                seen.add(found)
                kinds[kind] = kinds.get(kind, 0) + 1
                waiting.append(found)

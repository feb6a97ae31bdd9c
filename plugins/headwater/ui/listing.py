"""Read from a request how a list is to be shown, and write the links that show it otherwise.

Everything stands in the address, so that a list can be bookmarked, shared and reloaded. Nonsense in the address is
answered with the list as it is by default, never with an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

PAGE_SIZE = 50
LAST_PAGE = 100_000
LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Hold how a list is shown: searched, sorted, and which page of it."""

    path: str
    sort: str
    descending: bool
    search: str = ""
    page: int = 1
    filters: Mapping[str, str] = field(default_factory=dict)
    sorts: tuple[str, ...] = ()

    @property
    def offset(self) -> int:
        """Return how many rows come before this page."""
        return (self.page - 1) * PAGE_SIZE

    def sorted_by(self, name: str) -> str:
        """Return the link that sorts by a column, or turns the order round if it is sorted by it already."""
        down = not self.descending if name == self.sort else False
        return replace(self, sort=name, descending=down, page=1).link

    def on_page(self, page: int) -> str:
        """Return the link to another page."""
        return replace(self, page=page).link

    def filtered(self, **filters: str) -> str:
        """Return the link to the list with other filters, its first page."""
        return replace(self, filters={**self.filters, **filters}, page=1).link

    def direction(self, name: str) -> str:
        """Return what `aria-sort` says about a column."""
        if name != self.sort:
            return "none"
        return "descending" if self.descending else "ascending"

    @property
    def link(self) -> str:
        """Return the address of the list as it is."""
        given = {**self.filters, "q": self.search, "sort": self.sort, "order": "desc" if self.descending else "asc"}
        if self.page > 1:
            given["page"] = str(self.page)
        return f"{self.path}?{urlencode({key: value for key, value in given.items() if value})}"


def read_listing(
    query: Mapping[str, str], *, path: str, sorts: Sequence[str], descending: bool = True, filters: Sequence[str] = ()
) -> Listing:
    """Return how a list is to be shown; `sorts[0]` is the column that it is sorted by unless asked otherwise."""
    asked = query.get("sort", "")
    known = asked in sorts
    order = query.get("order", "")
    return Listing(
        path=path,
        sort=asked if known else sorts[0],
        descending=order == "desc" if known and order in ("asc", "desc") else descending,
        search=plain(query.get("q", "")),
        page=_page(query.get("page", "")),
        filters={name: plain(query.get(name, "")) for name in filters},
        sorts=tuple(sorts),
    )


def plain(text: str) -> str:
    """Return what a person typed, without what PostgreSQL cannot take (NUL) and without what nobody types."""
    return text.replace("\x00", "").strip()[:LONGEST_SEARCH]


def whole_number(text: str) -> int | None:
    """Return the number that a piece of an address holds (a run's id fits a bigint), or None."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def _page(text: str) -> int:
    return min(max(whole_number(text) or 1, 1), LAST_PAGE)

"""Read rows by REST, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPage:
    """Hold one page of a query: up to 2,000 records as the org wrote them, without their ``attributes``.

    `total` counts all matching records, not those of this page; `next_url` is None on the last page.
    """

    total: int
    records: list[dict[str, Any]]
    next_url: str | None

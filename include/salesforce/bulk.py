"""Read many rows by Bulk API 2.0: a query job, whose CSV result is streamed page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkJob:
    """Hold a query job: its Id, state, and how many records it has read so far.

    States: UploadComplete -> InProgress -> JobComplete | Failed | Aborted.
    """

    id: str
    state: str
    records: int = 0
    error: str = ""
    object: str = ""

    @property
    def ended(self) -> bool:
        """Return whether the job will not change any more."""
        return self.state in ("JobComplete", "Failed", "Aborted")


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPage:
    """Hold one page of a result while it streams: CSV bytes, and where the next page begins (None: this is the last)."""

    chunks: Iterator[bytes]
    next_locator: str | None
    number_of_records: int

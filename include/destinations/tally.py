"""Gather what becomes of a batch's records over several requests of several kinds, so that no receipt gets lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from include.destinations.protocol import Batch, BatchResult
from include.destinations.results import receipts_of
from include.errors import HeadwaterError
from include.records import Outcome, Profile, Receipt


class Tally:
    """Hold the latest receipt of each record of a batch; `broken` says which fault ended the sending, or ""."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._receipts: dict[str, Receipt] = {}
        self._result = BatchResult(receipts=())
        self.broken = ""

    def receipt(self, record: Profile) -> Receipt | None:
        """Return the latest receipt of a record, or None."""
        return self._receipts.get(record.record_id)

    def records(self, *outcomes: Outcome, cause: str = "") -> tuple[Profile, ...]:
        """Return the records whose latest receipt has one of these outcomes, and this cause if one is named."""
        return tuple(
            record
            for record in self._batch.records
            if (found := self._receipts.get(record.record_id)) is not None
            and found.outcome in outcomes
            and (not cause or found.cause == cause)
        )

    def add(self, result: BatchResult) -> None:
        """Take note of the result of one request, or of several."""
        self.put(result.receipts)
        self._result = replace(
            self._result,
            cause=self._result.cause or result.cause,
            message=self._result.message or result.message,
            requests=self._result.requests + result.requests,
        )

    def put(self, receipts: Iterable[Receipt]) -> None:
        """Take note of receipts."""
        self._receipts.update((each.record_id, each) for each in receipts)

    def attempt(self, batch: Batch, send: Callable[[Batch], BatchResult], *, first: bool = False) -> None:
        """Make one more request, unless an earlier one met a fault of the connection.

        The error of the first request is raised: nothing was taken. That of a later one makes records held, for what is
        known of the others must not get lost; the next batch will meet the same error.
        """
        if self.broken:
            self.put(receipts_of(batch.records, Outcome.HELD, "not_sent", self.broken))
            return
        try:
            self.add(send(batch))
        except HeadwaterError as error:
            if first:
                raise
            self.broken = str(error)
            self.put(receipts_of(batch.records, Outcome.HELD, "not_sent", self.broken))

    def result(self) -> BatchResult:
        """Return one receipt for each refused record and each record, in their order."""
        own = tuple(self._receipts[record.record_id] for record in self._batch.records)
        return replace(self._result, receipts=self._batch.refused + own)

"""Send events to Klaviyo: in bulk, and one by one where the platform knows one of a bulk request already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from include.destinations.klaviyo import body as bodies
from include.destinations.klaviyo import replies
from include.destinations.protocol import Batch, BatchResult
from include.destinations.results import receipts_of
from include.destinations.sending import Sender
from include.destinations.tally import Tally
from include.records import Outcome, Profile, Receipt

_ROUNDS = 20  # how often a request is made anew without the records that were refused


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSender:
    """Send the events of records over the two endpoints that take them."""

    bulk: Sender
    single: Sender

    def send(self, records: Sequence[Profile], *, skip_hook: bool, broken: str = "") -> BatchResult:
        """Send the events of these records; return a receipt for each record of which not all events were taken.

        Args:
            records: who has events.
            skip_hook: record the events without starting flows.
            broken: the fault of the connection that keeps anything more from being sent, or "".
        """
        failed: dict[str, Receipt] = {}
        requests = 0
        for batch in bodies.event_batches(records, skip_hook=skip_hook):
            tally = Tally(batch)
            tally.broken = broken
            self._send(batch, tally)
            broken = tally.broken
            result = tally.result()
            requests += result.requests
            for receipt in result.receipts:
                if receipt.outcome is not Outcome.DELIVERED:
                    failed.setdefault(receipt.record_id, receipt)
        return BatchResult(receipts=tuple(failed.values()), requests=requests)

    def _send(self, batch: Batch, tally: Tally) -> None:
        tally.attempt(batch, self.bulk.send)
        again(tally, lambda rest: tally.attempt(bodies.event_batch(rest, skip_hook=batch.skip_hook), self.bulk.send))
        for record in tally.records(Outcome.HELD, cause=replies.SINGLY):
            for event in record.events:
                tally.attempt(bodies.single_event(record, event, skip_hook=batch.skip_hook), self.single.send)
                receipt = tally.receipt(record)
                if receipt is None or receipt.outcome is not Outcome.DELIVERED:
                    break


def again(tally: Tally, send: Callable[[tuple[Profile, ...]], None]) -> None:
    """Send what was refused only for the sake of others, until nothing of that kind is left."""
    for _ in range(_ROUNDS):
        rest = tally.records(Outcome.HELD, cause=replies.AGAIN)
        if not rest:
            return
        send(rest)
    rest = tally.records(Outcome.HELD, cause=replies.AGAIN)
    message = "the platform named a few records at a time as wrong, again and again; this one is tried later"
    tally.put(receipts_of(rest, Outcome.REJECTED, "request_refused", message, retryable=True))

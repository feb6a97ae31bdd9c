"""The calls beside Insider One's upsert: follow a changed identifier, empty attributes, delete a profile.

All of them may be made twice. A changed identifier is followed before the upsert, or that would make a second profile.
What became empty is cleared after it. Events of a record that has something to clear are sent last of all: whatever
fails before, they were not sent, so that a later run may send them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import orjson

from include.destinations import results
from include.destinations.insider_one import body as bodies
from include.destinations.insider_one import replies
from include.destinations.line import Line, Request
from include.destinations.protocol import Batch, BatchResult, Policy, Reply
from include.destinations.sending import Sender
from include.destinations.tally import Tally
from include.errors import AuthError, ConnectionLost
from include.records import Outcome, Profile, Receipt

AUTH_ADVICE = (
    "Insider One refused the credentials: check partner name, token and the platform's list of allowed addresses"
)
_CLEAR = "/api/user/v1/attribute/delete"
_IDENTITY = "/api/user/v1/identity"
_PROFILE = "/api/user/v1/profile"
_DELETE = "/api/user/v1/delete"


class Companions:
    """Make the calls beside the upsert.

    Args:
        line: the way to the platform.
        policy: what the push asks of it.
        upsert: sends a batch of upserts.
    """

    def __init__(self, line: Line, *, policy: Policy, upsert: Callable[[Batch], BatchResult]) -> None:
        self._line = line
        self._policy = policy
        self._upsert = upsert
        self._clears = Sender(
            line=line,
            request=lambda batch: Request(method="POST", path=_CLEAR, body=batch.body),
            interpret=replies.interpret_clearing,
            lost=lambda batch, message: results.failed(batch, "no_answer", message, doubles=False),
            batch_of=lambda records, batch: bodies.clearing_batch(records, skip_hook=batch.skip_hook),
            doubles=lambda batch: False,
            auth_advice=AUTH_ADVICE,
        )

    def concern(self, batch: Batch) -> bool:
        """Say whether a batch of upserts needs more than its one request."""
        return any(record.former_identifiers or self._has_to_clear(record) for record in batch.records)

    def send(self, batch: Batch) -> BatchResult:
        """Send a batch of upserts with all that belongs to it."""
        tally = Tally(batch)
        before = self._line.requests
        self._follow(batch, tally)
        ready = [record for record in batch.records if tally.receipt(record) is None]
        apart = {record.record_id for record in ready if record.events and self._has_to_clear(record)}
        stripped = [replace(each, events=()) if each.record_id in apart else each for each in ready]
        first = tuple(each for each in stripped if bodies.says_something(each))
        if first:
            untouched = first == batch.records
            part = batch if untouched else bodies.batch_of(first, skip_hook=batch.skip_hook)
            tally.attempt(replace(part, refused=()), self._upsert, first=len(ready) == len(batch.records))
        to_clear = tuple(
            each
            for each in stripped
            if self._has_to_clear(each) and (each not in first or _arrived(tally.receipt(each)))
        )
        if to_clear:
            tally.attempt(
                bodies.clearing_batch(to_clear, skip_hook=batch.skip_hook), self._clears.send, first=not first
            )
        self._send_events(batch, tally, apart)
        return replace(tally.result(), requests=self._line.requests - before)

    def clear(self, batch: Batch) -> BatchResult:
        """Empty all that the push maps of the profiles of records that are gone."""
        nothing = tuple(each for each in batch.records if bodies.clearing(each) is None)
        rest = tuple(each for each in batch.records if bodies.clearing(each) is not None)
        tally = Tally(batch)
        tally.put(results.receipts_of(nothing, Outcome.DELIVERED, "nothing_to_clear", ""))
        if rest:
            part = bodies.clearing_batch(rest, skip_hook=batch.skip_hook)
            tally.attempt(part, self._clears.send, first=not nothing)
        return tally.result()

    def delete(self, batch: Batch) -> BatchResult:
        """Delete the profiles of records that are gone, one after the other."""
        tally = Tally(batch)
        before = self._line.requests
        for place, record in enumerate(batch.records):
            one = Batch(records=(record,), body=b"", skip_hook=batch.skip_hook)
            tally.attempt(one, self._delete, first=place == 0)
        return replace(tally.result(), requests=self._line.requests - before)

    def _has_to_clear(self, record: Profile) -> bool:
        return self._policy.clear_nulls and bodies.clearing(record) is not None

    def _send_events(self, batch: Batch, tally: Tally, apart: set[str]) -> None:
        """Send the events that waited until their profiles were as they should be."""
        late = tuple(
            replace(each, attributes={}, custom_attributes={})
            for each in batch.records
            if each.record_id in apart and _arrived(tally.receipt(each))
        )
        if late:
            tally.attempt(bodies.batch_of(late, skip_hook=batch.skip_hook), self._upsert)

    def _follow(self, batch: Batch, tally: Tally) -> None:
        """Change the identifiers at the platform that changed in the source."""
        for record in batch.records:
            for old, new in bodies.identity_changes(record):
                receipt = self._changed(record, old, new)
                if receipt is not None:
                    tally.put([receipt])
                    break

    def _changed(self, record: Profile, old: dict[str, object], new: dict[str, object]) -> Receipt | None:
        body = orjson.dumps({"old_identifier": old, "new_identifier": new})
        reply = self._asked(Request(method="PATCH", path=_IDENTITY, body=body, lane="identity"))
        verdict = replies.identity_verdict(reply)
        if verdict == "taken" and not self._is_there(old):
            return None  # we changed it before, and the answer was lost
        if verdict in ("changed", "nobody"):
            return None
        return replies.identity_receipt(record, verdict)

    def _is_there(self, identifiers: dict[str, object]) -> bool:
        body = orjson.dumps({"identifiers": identifiers, "attributes": ["*"]})
        reply = self._asked(Request(method="POST", path=_PROFILE, body=body, lane="profile"))
        return reply is None or reply.status != 404

    def _delete(self, one: Batch) -> BatchResult:
        (record,) = one.records
        body = orjson.dumps({"identifiers": bodies.identifiers_of(record)})
        reply = self._asked(Request(method="POST", path=_DELETE, body=body, lane="removal"))
        if reply is None:
            return results.failed(one, "no_answer", "no answer came to the deletion", doubles=False)
        return replies.interpret_deletion(one, reply)

    def _asked(self, request: Request) -> Reply | None:
        """Make a call that may be made twice; None: no answer came."""
        try:
            reply = self._line.insist(request)
        except ConnectionLost:
            return None
        if replies.refused_by_platform(reply.status, reply.body):
            raise AuthError(AUTH_ADVICE)
        if replies.comes_from_elsewhere(reply):
            raise self._line.unreachable(f"what answers there is not the platform (HTTP {reply.status})")
        return reply


def _arrived(receipt: Receipt | None) -> bool:
    """Say whether nothing went wrong with a record so far."""
    return receipt is None or receipt.outcome is Outcome.DELIVERED

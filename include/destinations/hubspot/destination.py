"""Carry people and events to HubSpot.

Contacts go a hundred at a time: those whose id is known by batch/update, which follows them when an identifier
changes, the others by batch/upsert under a unique property. Events follow the contacts that arrived. All of it may be
sent again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from include.config.platforms import PLATFORMS, Capabilities
from include.destinations.hubspot import body as bodies
from include.destinations.hubspot import replies, rules
from include.destinations.hubspot.contacts import AUTH_ADVICE, Contacts
from include.destinations.hubspot.steps import steps
from include.destinations.line import Line, Patience, Request
from include.destinations.protocol import Access, Batch, BatchResult, Policy, Reply, never_expires, never_settles
from include.destinations.sending import Sender, prove
from include.destinations.tally import Tally
from include.errors import AuthError
from include.ports import Bucket
from include.records import Outcome, Pace, Profile, ProfileAction, Receipt

HOST = "https://api.hubapi.com"
PACES: Mapping[str, Pace] = MappingProxyType(
    {
        "": Pace(requests=100, seconds=10),  # of the smallest subscriptions; the platform's own count makes it more
        "events": Pace(requests=1_250, seconds=1),
    }
)
CONTACTS = "/crm/v3/objects/contacts"
_EVENTS = "/events/v3/send/batch"


def open_hubspot(access: Access, *, bucket: Bucket | None = None, policy: Policy | None = None) -> HubSpot:
    """Return HubSpot behind a connection: password (access token), host (base URL, if it isn't the usual one).

    The extra ``unique_property`` names the property of contacts, unique in HubSpot, that holds the uuid.

    Raises:
        AuthError: the token is missing or impossible, or the property's name is none.
        Unreachable: the host is no address.
    """
    unique_property = str(access.extras.get("unique_property") or "")
    if unique_property and not re.fullmatch(r"[a-z][a-z0-9_]*", unique_property):
        raise AuthError(
            f"the extra `unique_property` of the connection {access.name!r} is no internal name of HubSpot's"
        )
    return HubSpot(
        base_url=access.base_url or HOST,
        token=access.secret,
        unique_property=unique_property,
        bucket=bucket,
        policy=policy,
    )


class HubSpot:
    """Be the platform HubSpot behind the protocol of destinations.

    Args:
        base_url: where the platform listens.
        token: the access token of a private app.
        unique_property: the property of contacts that holds the uuid; "" where there is none.
        bucket: hands out permission for each request; None sends as fast as the platform answers.
        policy: what the push asks of the platform.
        patience: how long to wait for what.
    """

    capabilities: Capabilities = PLATFORMS["hubspot"].capabilities
    expired = staticmethod(never_expires)
    settle = staticmethod(never_settles)

    def __init__(
        self,
        *,
        base_url: str,
        token: str,
        unique_property: str = "",
        bucket: Bucket | None = None,
        policy: Policy | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._policy = policy or Policy()
        self._unique_property = unique_property
        self._line = Line(
            title="HubSpot",
            base_url=base_url,
            headers=_headers(token),
            bucket=bucket,
            patience=patience,
            read_allowance=replies.allowance,
        )
        self._contacts = Contacts(self._line, policy=self._policy, unique_property=unique_property)

    def __repr__(self) -> str:
        return f"HubSpot(base_url={self._line.base_url!r}, token=***)"

    def check(self, profile: Profile, *, now: datetime) -> Receipt | None:
        """Return why this profile must not be sent (rejected or skipped), or None if it may."""
        return rules.check(profile, clear_nulls=self._policy.clear_nulls, unique_property=self._unique_property)

    def build(self, profiles: Iterable[Profile], *, skip_hook: bool, max_records: int | None = None) -> Iterator[Batch]:
        """Yield batches of checked profiles in which nobody is named twice."""
        return bodies.build(profiles, skip_hook=skip_hook, max_records=max_records)

    def send(self, batch: Batch) -> BatchResult:
        """Send a batch and return one receipt for each of its records; see `Destination.send`."""
        if not batch.records:
            return BatchResult(receipts=batch.refused)
        before = self._line.requests
        tally = Tally(batch)
        plan = self._contacts.plan(batch.records)  # reads; an error here means that nothing was taken
        tally.put(plan.receipts)
        self._write(tally, plan.updates, "update", plan.inputs, first=True)
        again = tally.records(Outcome.REJECTED, cause="not_at_platform")
        retold = self._contacts.plan_without_ids(again)
        tally.put(retold.receipts)
        self._write(tally, retold.updates, "update", retold.inputs)
        self._write(tally, retold.upserts, "upsert", retold.inputs)
        self._write(tally, plan.upserts, "upsert", plan.inputs, first=not plan.updates)
        self._archive(tally, plan.archived, plan.inputs, first=not (plan.updates or plan.upserts))
        self._send_events(tally)
        return replace(tally.result(), requests=self._line.requests - before)

    def steps(self, batch: Batch) -> tuple[tuple[str, bytes], ...]:
        """Return what would be asked for the records of a batch, and the bodies; nothing is sent."""
        return tuple(
            step
            for record in batch.records
            for step in steps(record, policy=self._policy, unique_property=self._unique_property)
        )

    def test(self) -> None:
        """Ask for one contact: the reading that every token of ours must be allowed."""
        prove(
            self._line,
            Request(method="GET", path=f"{CONTACTS}?limit=1"),
            refuses=replies.refuses,
            is_ours=lambda reply: replies.read_contacts(reply) is not None,
            auth_advice=AUTH_ADVICE,
        )

    def _write(
        self, tally: Tally, records: Sequence[Profile], verb: str, inputs: bodies.Inputs, *, first: bool = False
    ) -> None:
        if records:
            sender = self._sender(f"{CONTACTS}/batch/{verb}", inputs, replies.interpret)
            tally.attempt(bodies.batch_of(records, inputs), sender.send, first=first)

    def _archive(self, tally: Tally, records: Sequence[Profile], inputs: bodies.Inputs, *, first: bool) -> None:
        if records:
            sender = self._sender(f"{CONTACTS}/batch/archive", inputs, replies.interpret_archive)
            tally.attempt(bodies.batch_of(records, inputs), sender.send, first=first)

    def _send_events(self, tally: Tally) -> None:
        """Tell the events of the contacts that arrived, some hundred at a time."""
        arrived = [
            each for each in tally.records(Outcome.DELIVERED) if each.events and each.action is ProfileAction.UPSERT
        ]
        ids = {each.record_id: receipt.platform_id for each in arrived if (receipt := tally.receipt(each))}
        sender = Sender(
            line=self._line,
            request=lambda part: Request(method="POST", path=_EVENTS, body=part.body, lane="events"),
            interpret=replies.interpret_events,
            lost=replies.lost,
            batch_of=lambda records, part: bodies.events_of(records, ids),
            doubles=lambda part: False,
            auth_advice=AUTH_ADVICE,
        )
        for part in _portions(arrived):
            tally.attempt(bodies.events_of(part, ids), lambda batch: _with_ids(sender.send(batch), ids))

    def _sender(self, path: str, inputs: bodies.Inputs, interpret: Callable[[Batch, Reply], BatchResult]) -> Sender:
        return Sender(
            line=self._line,
            request=lambda part: Request(method="POST", path=path, body=part.body),
            interpret=interpret,
            lost=replies.lost,
            batch_of=lambda records, part: bodies.batch_of(records, inputs),
            doubles=lambda part: False,
            auth_advice=AUTH_ADVICE,
        )


def _portions(records: Sequence[Profile]) -> Iterator[list[Profile]]:
    """Yield the records in portions that hold no more events than one request may."""
    portion: list[Profile] = []
    size = 0
    for record in records:
        if portion and size + len(record.events) > bodies.EVENTS_AT_ONCE:
            yield portion
            portion, size = [], 0
        portion.append(record)
        size += len(record.events)
    if portion:
        yield portion


def _with_ids(result: BatchResult, ids: Mapping[str, str]) -> BatchResult:
    return replace(result, receipts=tuple(replace(each, platform_id=ids[each.record_id]) for each in result.receipts))


def _headers(token: str) -> dict[str, str]:
    secret = token.strip()
    if not secret or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise AuthError("the access token of the HubSpot connection is empty or holds characters no token has")
    return {"Authorization": f"Bearer {secret}", "Content-Type": "application/json", "Accept": "application/json"}

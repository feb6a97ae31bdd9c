"""Carry one record to Intercom: find its contact, make or change it, tell its events; each answer decides what is next.

Nothing here can make a second contact or a second event: a lost answer to a creation is followed by a look, and the
platform refuses a second contact with the same identifiers, with the first one's id; it knows an event again by
contact, name and second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import orjson

from include.config.platforms import Match
from include.destinations.intercom import body as bodies
from include.destinations.intercom import replies, rules
from include.destinations.intercom.replies import Finding, Meaning
from include.destinations.line import Line, Request
from include.destinations.protocol import Policy, Reply
from include.errors import AuthError, ConnectionLost
from include.records import Outcome, Profile, ProfileAction, Receipt

AUTH_ADVICE = (
    "Intercom refused the access token: check it, its permissions to read and write contacts and events, and the region"
)
_MOST_TURNS = 6  # create, taken by another, unarchive, update …: more than any way needs

Found = Mapping[str, Any] | Finding | None
Filters = list[bodies.Filter]
Spread = Callable[
    [Callable[[Filters], list[Mapping[str, Any]] | Finding], Iterable[Filters]],
    Iterable[list[Mapping[str, Any]] | Finding],
]
_LOST = Finding(meaning=Meaning.FAULT, cause="no_answer", message="no answer came: it broke off or timed out")


class Contacts:
    """Carry records over a line, one at a time; several threads may do so at once."""

    def __init__(self, line: Line, *, policy: Policy, types: Callable[[], bodies.Types]) -> None:
        self._line = line
        self._policy = policy
        self._types = types

    def look_up(self, records: Sequence[Profile], spread: Spread = map) -> dict[str, Found]:
        """Search for the contacts of all records that need it, many at a time; by record Id.

        Args:
            records: whom to search for.
            spread: makes the searches; another one than `map` makes several at once.
        """
        wanted = {record.record_id: self._filters(record) for record in records}
        filters = list(dict.fromkeys(one for each in wanted.values() for one in each))
        size = bodies.FILTERS_IN_A_SEARCH
        contacts: dict[str, Mapping[str, Any]] = {}
        for found in spread(self._search, [filters[start : start + size] for start in range(0, len(filters), size)]):
            if isinstance(found, Finding):
                return {record.record_id: found for record in records if wanted[record.record_id]}
            contacts |= {str(each.get("id")): each for each in found}
        shown = list(contacts.values())
        return {record.record_id: replies.matching(record, shown) for record in records if wanted[record.record_id]}

    def carry(self, record: Profile, found: Found) -> Receipt:
        """Do with the platform's contact what the record asks, and say what became of it.

        Raises:
            AuthError, RateLimited, Unreachable: nothing more can be sent now.
        """
        if isinstance(found, Finding):
            return _failure(record, found)
        contact_id = record.platform_id or _id_of(found)
        if record.action is not ProfileAction.UPSERT:
            return self._gone(record, contact_id)
        written = self._written(record, contact_id, found)
        if written.outcome is not Outcome.DELIVERED:
            return written
        for event in record.events:
            finding = self._post_event(bodies.event(event, written.platform_id))
            if finding.meaning is not Meaning.TAKEN:
                return replace(_failure(record, finding), platform_id=written.platform_id)
        return written

    def _filters(self, record: Profile) -> Filters:
        if record.platform_id and not self._policy.compare:
            return []
        return bodies.filters_of(record, by_id=True)

    def _search(self, filters: Filters) -> list[Mapping[str, Any]] | Finding:
        finding, reply = self._insist("POST", "/contacts/search", bodies.search(filters))
        contacts = replies.found_contacts(reply) if reply is not None else None
        if finding.meaning is Meaning.TAKEN and contacts is not None:
            return contacts
        return finding if finding.meaning is not Meaning.TAKEN else _LOST

    def _written(self, record: Profile, contact_id: str, held: Mapping[str, Any] | None) -> Receipt:
        """Make or change the contact of a record, whatever stands in the way."""
        body = bodies.contact(record, types=self._types(), clear_nulls=self._policy.clear_nulls)
        maybe_ours = False  # whether a contact that we come upon may be one that we just made
        finding = _LOST
        for turn in range(1, _MOST_TURNS + 1):
            if not contact_id:
                found = self._by_external_id(record) if turn > 1 or not rules.may_create(self._policy.match) else None
                if isinstance(found, Finding):
                    return _failure(record, found)
                held, contact_id = found, _id_of(found)
            if contact_id:
                if self._policy.match is Match.CREATE_ONLY and not maybe_ours:
                    return _skipped(record, "already_at_platform", "the push only creates, and the contact is there")
                finding, equal = self._change(contact_id, body, held)
                if finding.meaning is Meaning.TAKEN:
                    return _delivered(record, contact_id, "already_equal" if equal else "")
            elif not rules.may_create(self._policy.match):
                return _skipped(record, "not_at_platform", "the push only updates, and there is no such contact")
            else:
                finding = self._create(body)
                if finding.meaning is Meaning.TAKEN:
                    return _delivered(record, finding.contact_id)
                maybe_ours = maybe_ours or finding.meaning is Meaning.FAULT
            following = self._following(record, finding, created=not contact_id, turn=turn)
            if isinstance(following, Finding):
                return _failure(record, following)
            contact_id, held = following, None
        return _failure(record, finding)

    def _following(self, record: Profile, finding: Finding, *, created: bool, turn: int) -> str | Finding:
        """Return which contact to go on with after a failure ("": there is none), or why to give up."""
        if finding.meaning is Meaning.MERGED:
            return finding.contact_id or finding
        if finding.meaning is Meaning.MISSING and not created:
            return self._found_now(record)
        if finding.meaning is Meaning.TAKEN_BY_OTHER and created:
            return self._taken_over(record, finding)
        pause = self._line.patience.pause(turn) if finding.meaning is Meaning.FAULT and created else None
        if pause is None:
            return finding
        self._line.patience.sleep(pause)
        return self._found_now(record)

    def _found_now(self, record: Profile) -> str | Finding:
        """Look again, without what we remembered."""
        found = self.look_up([replace(record, platform_id="")]).get(record.record_id)
        return found if isinstance(found, Finding) else _id_of(found)

    def _taken_over(self, record: Profile, finding: Finding) -> str | Finding:
        """Return the contact that has the record's identifiers already, brought back if it was archived."""
        if finding.archived:
            back, _ = self._insist("POST", f"{_path(finding.contact_id)}/unarchive")
            if back.meaning is not Meaning.TAKEN:
                return back
        if "uuid" in record.identifiers:
            shown, reply = self._insist("GET", _path(finding.contact_id))
            if shown.meaning is not Meaning.TAKEN or reply is None:
                return shown
            if replies.is_somebody_else(record, replies.contact_of(reply)):
                return replies.somebody_else()
        return finding.contact_id

    def _by_external_id(self, record: Profile) -> Mapping[str, Any] | Finding | None:
        """Ask for the contact by its external id: unlike a search, this knows the newest ones too."""
        external_id = record.identifiers.get("uuid")
        if external_id is None:
            return None
        finding, reply = self._insist("GET", f"/contacts/find_by_external_id/{quote(external_id, safe='')}")
        if finding.meaning is Meaning.MERGED and finding.contact_id:
            return {"id": finding.contact_id}
        if finding.meaning is Meaning.TAKEN and reply is not None:
            return replies.contact_of(reply)
        return None if finding.meaning is Meaning.MISSING else finding

    def _change(self, contact_id: str, body: bodies.Body, held: Mapping[str, Any] | None) -> tuple[Finding, bool]:
        """Write to a contact, only what differs if that is asked for; the second says that nothing does."""
        if self._policy.compare:
            if held is None or "custom_attributes" not in held:
                finding, reply = self._insist("GET", _path(contact_id))
                if finding.meaning is not Meaning.TAKEN or reply is None:
                    return finding, False
                held = replies.contact_of(reply)
            body = bodies.differing(body, held)
            if not body:
                return Finding(meaning=Meaning.TAKEN), True
        finding, _ = self._insist("PUT", _path(contact_id), body)
        return finding, False

    def _create(self, body: bodies.Body) -> Finding:
        made = bodies.creation(body)
        request = Request(method="POST", path="/contacts", body=orjson.dumps(made))
        try:
            reply = self._line.ask_once(request)
        except ConnectionLost:
            return _LOST
        finding = self._unless_fatal(replies.judge(reply, _names(made)))
        if finding.meaning is Meaning.TAKEN and not finding.contact_id:
            return _LOST  # it answers as if, and tells no contact
        return finding

    def _post_event(self, body: bodies.Body) -> Finding:
        finding, _ = self._insist("POST", "/events", body)
        return finding

    def _gone(self, record: Profile, contact_id: str) -> Receipt:
        """Archive, delete or empty the contact of a record that is gone; one that is not there is as wished."""
        if not contact_id:
            found = self._by_external_id(record)
            if isinstance(found, Finding):
                return _failure(record, found)
            contact_id = _id_of(found)
        if not contact_id:
            return _delivered(record, "", "already_gone")
        if record.action is ProfileAction.ARCHIVE:
            finding, _ = self._insist("POST", f"{_path(contact_id)}/archive")
        elif record.action is ProfileAction.DELETE:
            finding, _ = self._insist("DELETE", _path(contact_id))
        else:
            finding, _ = self._insist("PUT", _path(contact_id), bodies.contact(record, types={}, clear_nulls=True))
        if finding.meaning is Meaning.TAKEN:
            return _delivered(record, contact_id)
        if finding.meaning in (Meaning.MISSING, Meaning.MERGED):
            return _delivered(record, "", "already_gone")
        return _failure(record, finding)

    def _insist(self, method: str, path: str, body: bodies.Body | None = None) -> tuple[Finding, Reply | None]:
        """Make a request that may be made twice; a lost answer is a fault."""
        content = None if body is None else orjson.dumps(body)
        try:
            reply = self._line.insist(Request(method=method, path=path, body=content))
        except ConnectionLost:
            return _LOST, None
        return self._unless_fatal(replies.judge(reply, _names(body or {}))), reply

    def _unless_fatal(self, finding: Finding) -> Finding:
        if finding.meaning is Meaning.STOP:
            raise AuthError(AUTH_ADVICE)
        if finding.meaning is Meaning.STRANGER:
            raise self._line.unreachable(finding.message)
        return finding


def _path(contact_id: str) -> str:
    return f"/contacts/{quote(contact_id, safe='')}"


def _names(body: Mapping[str, Any]) -> set[str]:
    return {*body, *(body.get("custom_attributes") or {})}


def _id_of(contact: Mapping[str, Any] | None) -> str:
    return str(contact.get("id") or "") if contact else ""


def _delivered(record: Profile, contact_id: str, cause: str = "") -> Receipt:
    return Receipt(record_id=record.record_id, outcome=Outcome.DELIVERED, cause=cause, platform_id=contact_id)


def _skipped(record: Profile, cause: str, message: str) -> Receipt:
    return Receipt(record_id=record.record_id, outcome=Outcome.SKIPPED, cause=cause, message=message)


def _failure(record: Profile, finding: Finding) -> Receipt:
    """Say that a record did not get there; after a fault it may be tried again, for nothing of it can be doubled."""
    return Receipt(
        record_id=record.record_id,
        outcome=Outcome.REJECTED,
        cause=finding.cause,
        message=finding.message,
        retryable=finding.meaning is Meaning.FAULT,
    )

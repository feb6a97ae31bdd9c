"""Find out what is to be done with each record at HubSpot: change a contact, make one, archive it, or let it be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from include.config.platforms import Match
from include.destinations.hubspot import body as bodies
from include.destinations.hubspot import replies, rules
from include.destinations.line import Line, Request
from include.destinations.protocol import Policy
from include.destinations.results import receipts_of
from include.errors import AuthError, ConnectionLost
from include.records import Outcome, Profile, ProfileAction, Receipt

AUTH_ADVICE = (
    "HubSpot refused the access token: check it and its scopes crm.objects.contacts.read and .write,"
    " crm.schemas.contacts.read, and behavioral_events.event_definitions.read_write for events"
)
_READ = "/crm/v3/objects/contacts/batch/read"
_PROPERTIES = "/crm/v3/properties/contacts"


@dataclass(slots=True)
class Plan:
    """Hold what is to be done with the records of a batch, and what is settled already."""

    receipts: list[Receipt] = field(default_factory=list)
    updates: list[Profile] = field(default_factory=list)
    upserts: list[Profile] = field(default_factory=list)
    archived: list[Profile] = field(default_factory=list)
    inputs: dict[str, bodies.Input] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Held:
    """Hold a contact as the platform showed it."""

    object_id: str
    properties: Mapping[str, Any] = field(default_factory=dict)


class Contacts:
    """Read what the platform holds, as far as the policy needs it, and plan."""

    def __init__(self, line: Line, *, policy: Policy, unique_property: str) -> None:
        self._line = line
        self._policy = policy
        self._unique_property = unique_property
        self._types: dict[str, rules.Property] | None = None

    def plan(self, records: Sequence[Profile]) -> Plan:
        """Say for each record what is to be done.

        Raises:
            AuthError, RateLimited, Unreachable: nothing can be read now, and nothing was written.
        """
        values = {record.record_id: self._values(record) for record in records}
        plan = Plan()
        fitting = [record for record in records if self._fits(record, values[record.record_id], plan)]
        looked_for = [record for record in fitting if self._needs_look(record)]
        try:
            held = self._look_up(looked_for, {name for record in looked_for for name in values[record.record_id]})
        except ConnectionLost:
            plan.receipts += receipts_of(
                looked_for, Outcome.REJECTED, "no_answer", "the platform could not be read", retryable=True
            )
            fitting = [record for record in fitting if record not in looked_for]
            held = {}
        for record in fitting:
            self._place(plan, record, values[record.record_id], held.get(record.record_id), record in looked_for)
        return plan

    def plan_without_ids(self, records: Sequence[Profile]) -> Plan:
        """Plan anew for records whose remembered contact is gone."""
        return self.plan([replace(record, platform_id="") for record in records])

    def _values(self, record: Profile) -> dict[str, str]:
        return bodies.properties(
            record,
            unique_property=self._unique_property,
            types=self._known_types(),
            clear_nulls=self._policy.clear_nulls,
        )

    def _fits(self, record: Profile, values: Mapping[str, str], plan: Plan) -> bool:
        problem = rules.misfit(values, self._known_types())
        if problem is None:
            return True
        cause, message = problem
        plan.receipts += receipts_of([record], Outcome.REJECTED, cause, message)
        return False

    def _needs_look(self, record: Profile) -> bool:
        if record.action is not ProfileAction.UPSERT:
            return not record.platform_id
        if self._policy.compare or record.former_identifiers:
            return not record.platform_id or self._policy.compare
        return self._policy.match is not Match.UPSERT and not record.platform_id

    def _place(self, plan: Plan, record: Profile, values: dict[str, str], held: _Held | None, looked: bool) -> None:
        """Put a record where it belongs in the plan."""
        object_id = held.object_id if held else record.platform_id
        if record.action is not ProfileAction.UPSERT:
            self._place_gone(plan, record, values, object_id)
        elif not object_id and self._policy.match is Match.UPDATE_ONLY:
            plan.receipts += receipts_of(
                [record], Outcome.SKIPPED, "not_at_platform", "the push only updates, and there is no such contact"
            )
        elif object_id and self._policy.match is Match.CREATE_ONLY:
            plan.receipts += receipts_of(
                [record], Outcome.SKIPPED, "already_at_platform", "the push only creates, and the contact is there"
            )
        elif object_id:
            self._place_update(plan, record, values, object_id, held if looked else None)
        else:
            key = bodies.key_of(record, self._unique_property)
            assert key is not None, "a record without an identifier is refused by check"
            plan.inputs[record.record_id] = bodies.upsert(record, key, values)
            plan.upserts.append(record)

    def _place_update(
        self, plan: Plan, record: Profile, values: dict[str, str], object_id: str, held: _Held | None
    ) -> None:
        if self._policy.compare and held is not None:
            values = bodies.differing(values, held.properties)
            if not values:
                plan.receipts.append(
                    Receipt(
                        record_id=record.record_id,
                        outcome=Outcome.DELIVERED,
                        cause="already_equal",
                        platform_id=object_id,
                    )
                )
                return
        plan.inputs[record.record_id] = bodies.update(record, object_id, values)
        plan.updates.append(record)

    def _place_gone(self, plan: Plan, record: Profile, values: dict[str, str], object_id: str) -> None:
        if not object_id:
            plan.receipts.append(Receipt(record_id=record.record_id, outcome=Outcome.DELIVERED, cause="already_gone"))
        elif record.action is ProfileAction.CLEAR:
            plan.inputs[record.record_id] = bodies.update(record, object_id, values)
            plan.updates.append(record)
        else:
            plan.inputs[record.record_id] = {"id": object_id}
            plan.archived.append(record)

    def _look_up(self, records: Sequence[Profile], names: Iterable[str]) -> dict[str, _Held]:
        """Read the contacts of these records, by id or by a unique property, formerly or now; by record Id."""
        found: dict[str, _Held] = {}
        known = {record.record_id: record.platform_id for record in records if record.platform_id}
        found |= self._read(known, "", names)
        for former in (False, True):
            by_property: dict[str, dict[str, str]] = {}
            for record in records:
                key = bodies.key_of(record, self._unique_property, former=former)
                if key is not None and record.record_id not in found and (record.former_identifiers or not former):
                    by_property.setdefault(key[0], {})[record.record_id] = key[1]
            for name, wanted in by_property.items():
                found |= self._read(wanted, name, names)
        return found

    def _read(self, wanted: Mapping[str, str], id_property: str, names: Iterable[str]) -> dict[str, _Held]:
        if not wanted:
            return {}
        body = bodies.reading(list(dict.fromkeys(wanted.values())), id_property, names)
        reply = self._line.insist(Request(method="POST", path=_READ, body=body))
        if replies.refuses(reply):
            raise AuthError(AUTH_ADVICE)
        contacts = replies.read_contacts(reply)
        if contacts is None:
            raise ConnectionLost(f"HubSpot answered a reading of contacts with HTTP {reply.status}")
        held: dict[str, _Held] = {}
        for contact in contacts:
            properties = contact.get("properties") or {}
            key = str(properties.get(id_property) if id_property else contact.get("id"))
            held[key.casefold()] = _Held(str(contact.get("id")), properties)
        return {record_id: held[key.casefold()] for record_id, key in wanted.items() if key.casefold() in held}

    def _known_types(self) -> dict[str, rules.Property]:
        """Return the properties of contacts, asked for once; a token without the right learns of none."""
        if self._types is None:
            try:
                reply = self._line.insist(Request(method="GET", path=_PROPERTIES))
            except ConnectionLost:
                return {}
            self._types = {
                str(each.get("name")): rules.Property(
                    str(each.get("type") or ""),
                    read_only=bool((each.get("modificationMetadata") or {}).get("readOnlyValue")),
                    unique=bool(each.get("hasUniqueValue")),
                )
                for each in replies.read_properties(reply)
            }
        return self._types

"""Decide what becomes of a selected row before anything is sent: unchanged, settled by a rule of ours, or to be sent.

Pure: the destination is asked only what it decides without the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from include.activation.fingerprint import fingerprint
from include.activation.mapping import map_row
from include.config.pushes import PushDefinition
from include.destinations.protocol import Destination, without_expired
from include.records import Event, Outcome, Profile, Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Hold a selected record as the warehouse has it now.

    `sent_identifiers` are those by which the platform took it last, and `platform_id` its id there, where it told one.
    """

    ordinal: int
    record_id: str
    exists: bool
    stamp: datetime | None
    row_hash: int
    sent_fingerprint: bytes | None
    values: Mapping[str, Any]
    sent_identifiers: Mapping[str, str] = field(default_factory=dict)
    platform_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Hold a record that may be sent, with what is remembered of it once it has arrived.

    `differs` says that the platform lacks its present payload; `note` what was left out of it, for the ledger.
    """

    row: Row
    profile: Profile
    fingerprint: bytes
    differs: bool
    note: str = ""


def prepare_row(
    push: PushDefinition, destination: Destination, row: Row, *, run: str, repeat: bool, now: datetime
) -> Candidate | Receipt | None:
    """Return what to send, or the receipt of a record that ends here, or None for one with nothing new.

    Args:
        push: the definition.
        destination: the platform, for what it would refuse or drop.
        row: the record.
        run: names the run, for events that are sent in every one.
        repeat: send it even if nothing about it is new.
        now: the time of processing.
    """
    if not row.exists:
        message = "the record was deleted after it had been selected"
        return Receipt(record_id=row.record_id, outcome=Outcome.SKIPPED, cause="gone", message=message)
    mapped = map_row(push, row.values, record_id=row.record_id, stamp=row.stamp, run=run, now=now)
    if isinstance(mapped, Receipt):
        return mapped
    print_ = fingerprint(mapped, push)
    differs = repeat or print_ != row.sent_fingerprint
    if not differs and not (push.event is not None and push.event.when == "every_run"):
        return None
    profile = without_expired(destination, mapped, now=now)
    note = "" if profile is mapped else "event_expired"
    refusal = destination.check(profile, now=now)
    if refusal is not None:
        return replace(refusal, cause=note) if note and refusal.outcome is Outcome.SKIPPED else refusal
    return Candidate(row=row, profile=profile, fingerprint=print_, differs=differs, note=note)


def with_claimed(candidate: Candidate, claimed: set[str]) -> Candidate | None:
    """Return the candidate with those events only that this run may send, or None if nothing new is left of it."""
    events = tuple(event for event in candidate.profile.events if event.key in claimed)
    profile = candidate.profile
    if len(events) != len(profile.events):
        profile = replace(profile, events=events)
        candidate = replace(candidate, profile=profile, note=candidate.note or "event_sent_before")
    if events:
        return candidate
    says = any(value is not None for value in (*profile.attributes.values(), *profile.custom_attributes.values()))
    return candidate if candidate.differs and says else None


def events_of(candidates: Sequence[Candidate]) -> list[tuple[str, Event]]:
    """Return the events of candidates, each with its record's Id."""
    return [(each.row.record_id, event) for each in candidates for event in each.profile.events]


def in_rounds(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Return the candidates in rounds, so that no round holds one identity twice and order is kept within each.

    Two records of one person in one request contradict each other; one after the other, the newer wins.
    """
    rounds: list[list[Candidate]] = []
    last: dict[tuple[str, str], int] = {}
    for each in candidates:
        identity = [*each.profile.identifiers.items()]
        identity += [(f"custom.{name}", value) for name, value in each.profile.custom_identifiers.items()]
        place = 1 + max((last.get(token, -1) for token in identity), default=-1)
        last |= dict.fromkeys(identity, place)
        if place == len(rounds):
            rounds.append([])
        rounds[place].append(each)
    return rounds

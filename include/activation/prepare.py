"""Decide what becomes of a selected row before anything is sent: unchanged, settled by a rule of ours, or to be sent.

Pure: the destination is asked only what it decides without the network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from include.activation.fingerprint import fingerprint
from include.activation.mapping import Mapper
from include.destinations.protocol import Destination, without_expired
from include.records import Event, Outcome, Profile, ProfileAction, Receipt

CUSTOM = "custom."  # before the name of a custom identifier, where all stand in one mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Hold a selected record as the warehouse has it now.

    `sent_identifiers` are those by which the platform took it last, and `platform_id` its id there, where it told one.
    `action` is what is to be done; None: nothing, because it is gone and another record is the same person there.
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
    action: ProfileAction | None = ProfileAction.UPSERT


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Hold a record that may be sent, with what is remembered of it once it has arrived.

    `differs` says that the platform lacks its present payload, `clears` that an empty attribute is one to be emptied
    there; `note` what was left out of it, for the ledger.
    """

    row: Row
    profile: Profile
    fingerprint: bytes
    differs: bool
    clears: bool = False
    note: str = ""


def prepare_row(
    mapper: Mapper, destination: Destination, row: Row, *, run: str, repeat: bool, now: datetime
) -> Candidate | Receipt | None:
    """Return what to send, or the receipt of a record that ends here, or None for one with nothing new.

    Args:
        mapper: of the push, see `compile_mapping`.
        destination: the platform, for what it would refuse or drop.
        row: the record.
        run: names the run, for events that are sent in every one.
        repeat: send it even if nothing about it is new.
        now: the time of processing.

    Raises:
        InvalidIdentifier: an identifier is not valid and the push wants the run to fail then.
    """
    if not row.exists:
        return _skipped(row, "gone", "the record left the source after it had been selected")
    if row.action is not ProfileAction.UPSERT:
        return _prepare_gone(mapper, destination, row, now=now)
    found = mapper.profile(row.values, record_id=row.record_id, stamp=row.stamp, run=run, now=now)
    if isinstance(found, Receipt):
        return found
    mapped, note = found
    print_ = fingerprint(mapped, mapper.push)
    differs = repeat or print_ != row.sent_fingerprint
    if not differs and not mapper.in_every_run:
        return None
    profile = _remembering(mapped, row)
    if mapped.events:
        profile = without_expired(destination, profile, now=now)
        note = note if len(profile.events) == len(mapped.events) else "event_expired"
    refusal = destination.check(profile, now=now)
    if refusal is not None:
        return (
            replace(refusal, cause=note) if note == "event_expired" and refusal.outcome is Outcome.SKIPPED else refusal
        )
    clears = mapper.push.nulls == "clear"
    return Candidate(row=row, profile=profile, fingerprint=print_, differs=differs, clears=clears, note=note)


def _prepare_gone(mapper: Mapper, destination: Destination, row: Row, *, now: datetime) -> Candidate | Receipt:
    """Return what to do about a record that is gone, by the identifiers under which the platform knows it."""
    if row.action is None:
        return identity_in_use(row)
    standard, custom = _known_by(mapper, row)
    if not standard and not custom:
        return _skipped(row, "identity_unknown", "the record is gone, and nobody knows by what the platform knows it")
    profile = mapper.gone(record_id=row.record_id, identifiers=standard, custom=custom, action=row.action)
    if row.platform_id:
        profile = replace(profile, platform_id=row.platform_id)
    refusal = destination.check(profile, now=now)
    if refusal is not None:
        return refusal
    return Candidate(row=row, profile=profile, fingerprint=fingerprint(profile, mapper.push), differs=True)


def _known_by(mapper: Mapper, row: Row) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return by which identifiers the platform knows a record: those sent last, else those of its last values."""
    if row.sent_identifiers:
        sent = row.sent_identifiers
        custom = {name.removeprefix(CUSTOM): value for name, value in sent.items() if name.startswith(CUSTOM)}
        return {name: value for name, value in sent.items() if not name.startswith(CUSTOM)}, custom
    return mapper.identifiers_of(row.values, row.record_id) if row.values else ({}, {})


def _remembering(profile: Profile, row: Row) -> Profile:
    """Return the profile with what is known of it at the platform."""
    if not row.sent_identifiers and not row.platform_id:
        return profile
    present = flat_identifiers(profile)
    former = {name: value for name, value in row.sent_identifiers.items() if present.get(name) != value}
    if not former and not row.platform_id:
        return profile
    return replace(profile, former_identifiers=former, platform_id=row.platform_id)


def flat_identifiers(profile: Profile) -> Mapping[str, str]:
    """Return all identifiers in one mapping, as they are kept: the custom ones are named ``custom.<name>``."""
    if not profile.custom_identifiers:
        return profile.identifiers
    own = {f"{CUSTOM}{name}": value for name, value in profile.custom_identifiers.items()}
    return {**profile.identifiers, **own}


def identity_in_use(row: Row) -> Receipt:
    """Return why nothing is done about a record that is gone: its profile is somebody's still."""
    return _skipped(
        row, "identity_in_use", "the record is gone, but another record is the same person at the platform: it stays"
    )


def _skipped(row: Row, cause: str, message: str) -> Receipt:
    return Receipt(record_id=row.record_id, outcome=Outcome.SKIPPED, cause=cause, message=message)


def with_claimed(candidate: Candidate, claimed: set[str]) -> Candidate | None:
    """Return the candidate with those events only that this run may send, or None if nothing new is left of it."""
    events = tuple(event for event in candidate.profile.events if event.key in claimed)
    profile = candidate.profile
    if len(events) != len(profile.events):
        profile = replace(profile, events=events)
        candidate = replace(candidate, profile=profile, note=candidate.note or "event_sent_before")
    if events or profile.action is not ProfileAction.UPSERT:
        return candidate
    values = (*profile.attributes.values(), *profile.custom_attributes.values())
    says = any(candidate.clears or value is not None for value in values)
    return candidate if candidate.differs and says else None


def events_of(candidates: Sequence[Candidate]) -> list[tuple[str, Event]]:
    """Return the events of candidates, each with its record's Id."""
    return [(each.row.record_id, event) for each in candidates for event in each.profile.events]


def in_rounds(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Return the candidates in rounds, so that no round holds one identity twice and order is kept within each.

    Two records of one person in one request contradict each other; one after the other, the newer wins.
    """
    if _all_differ(candidates):
        return [list(candidates)] if candidates else []
    rounds: list[list[Candidate]] = []
    last: dict[tuple[str, str], int] = {}
    for each in candidates:
        identity = _identities(each.profile)
        place = 1 + max((last.get(token, -1) for token in identity), default=-1)
        last |= dict.fromkeys(identity, place)
        if place == len(rounds):
            rounds.append([])
        rounds[place].append(each)
    return rounds


def _all_differ(candidates: Sequence[Candidate]) -> bool:
    """Say whether no two candidates share an identity, as is usual."""
    met: set[tuple[str, str]] = set()
    named = 0
    for each in candidates:
        identity = _identities(each.profile)
        met.update(identity)
        named += len(identity)
    return len(met) == named


def _identities(profile: Profile) -> set[tuple[str, str]]:
    """Return by what a platform may know the person; one address in two spellings of its letters is one."""
    present = {*flat_identifiers(profile).items(), *profile.former_identifiers.items()}
    return {(name, value.casefold() if name == "email" else value) for name, value in present}

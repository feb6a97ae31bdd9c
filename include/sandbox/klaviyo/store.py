"""Keep profiles, events and import jobs. A job is carried out when its time has come, by whoever looks next."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from include.sandbox.klaviyo.rules import TEXTS, event_time, metric_name, value_problem
from include.sandbox.platform.database import Database, now_utc

_TABLES = """
CREATE TABLE IF NOT EXISTS profiles (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS identifiers (key TEXT PRIMARY KEY, profile INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS identifiers_by_profile ON identifiers (profile);
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, profile INTEGER NOT NULL, metric TEXT NOT NULL,
    unique_id TEXT NOT NULL, at TEXT NOT NULL, body BLOB NOT NULL, backfill INTEGER NOT NULL,
    UNIQUE (profile, metric, unique_id));
CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, number INTEGER NOT NULL, created_at TEXT NOT NULL,
    starts_at TEXT NOT NULL, ends_at TEXT NOT NULL, done INTEGER NOT NULL, body BLOB NOT NULL, refused BLOB NOT NULL,
    total INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS job_errors (job TEXT NOT NULL, place INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (job, place)) WITHOUT ROWID;
"""
_KINDS = ("external_id", "email", "phone_number")

Resource = dict[str, Any]
Stored = dict[str, Any]  # {"attributes": {…, "location": {…}}, "properties": {…}}


class Duplicate(Exception):
    """Say that an identifier belongs to another profile."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.profile = profile_id(number)


class Store:
    """Be the platform's memory."""

    def __init__(self, home: Path, *, job_seconds: float) -> None:
        self.database = Database(home / "klaviyo.sqlite", _TABLES)
        self._job_seconds = job_seconds
        self._last_job = self.database.number("SELECT max(number) FROM jobs")

    def start_job(self, profiles: list[Resource], refused: Iterable[int]) -> str:
        """Take an import for later and return its id."""
        now = now_utc()
        self._last_job += 1
        job = f"job-{self._last_job}-{secrets.token_hex(6)}"
        starts, ends = now + timedelta(seconds=self._job_seconds / 2), now + timedelta(seconds=self._job_seconds)
        row = (job, self._last_job, *(at.isoformat() for at in (now, starts, ends)), 0, orjson.dumps(profiles))
        self.database.run(
            "INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*row, orjson.dumps(list(refused)), len(profiles))
        )
        return job

    def carry_out(self) -> None:
        """Import what the jobs hold whose time has come, in the order in which they came."""
        due = self.database.run(
            "SELECT id, body, refused FROM jobs WHERE done = 0 AND ends_at <= ? ORDER BY number",
            (now_utc().isoformat(),),
        ).fetchall()
        for job, body, refused in due:
            with self.database.transaction():
                self._import(job, orjson.loads(body), set(orjson.loads(refused)))
                self.database.run("UPDATE jobs SET done = 1, body = '' WHERE id = ?", (job,))

    def _import(self, job: str, profiles: list[Resource], refused: set[int]) -> None:
        for place, resource in enumerate(profiles):
            problem = value_problem(resource["attributes"])
            if problem is None and place in refused:
                problem = "/attributes/phone_number", "Invalid phone number format."
            if problem is None:
                try:
                    self.upsert(resource, nulls_clear=False)
                except Duplicate:
                    problem = "/attributes", "A profile already exists with one of these identifiers."
            if problem is not None:
                pointer = f"/data/attributes/profiles/data/{place}{problem[0]}"
                body = {
                    "code": "invalid", "title": "Invalid input.", "detail": problem[1],
                    "source": {"pointer": pointer}, "original_payload": resource["attributes"],
                }  # fmt: skip
                self.database.run("INSERT INTO job_errors VALUES (?, ?, ?)", (job, place, orjson.dumps(body)))

    def job(self, job: str) -> dict[str, Any] | None:
        """Return the attributes of a job, or None."""
        self.carry_out()
        row = self.database.one("SELECT created_at, starts_at, ends_at, done, total FROM jobs WHERE id = ?", (job,))
        if row is None:
            return None
        created, starts, ends, done, total = row
        failed = self.database.number("SELECT count(*) FROM job_errors WHERE job = ?", (job,))
        started = now_utc().isoformat() >= starts
        return {
            "status": "complete" if done else "processing" if started else "queued",
            "created_at": created,
            "total_count": total,
            "completed_count": total - failed if done else 0,
            "failed_count": failed,
            "completed_at": ends if done else None,
            "started_at": starts if started else None,
        }

    def job_errors(self, job: str, after: int, limit: int) -> list[tuple[int, dict[str, Any]]]:
        """Return a page of a job's errors with their places, those behind `after`."""
        rows = self.database.run(
            "SELECT place, body FROM job_errors WHERE job = ? AND place > ? ORDER BY place LIMIT ?", (job, after, limit)
        )
        return [(place, orjson.loads(body)) for place, body in rows]

    def upsert(self, resource: Resource, *, nulls_clear: bool) -> tuple[int, bool]:
        """Create or update a profile; return its number and whether it is new.

        Raises:
            Duplicate: one of its identifiers belongs to another profile.
        """
        attributes = resource["attributes"]
        sent = {kind: attributes[kind] for kind in _KINDS if attributes.get(kind)}
        number = _number(resource.get("id")) or self._owner(sent)
        stored = self.profile(number) if number else None
        if stored is None:
            number = self.database.run("INSERT INTO profiles VALUES (NULL, ?)", (b"{}",)).lastrowid or 0
        before: Stored = stored or {"attributes": {}, "properties": {}}
        for kind, value in sent.items():
            owner = self._owner({kind: value})
            if owner not in (0, number):
                raise Duplicate(owner)
        after = _merged(before, resource, nulls_clear=nulls_clear)
        self._claim(number, before["attributes"], after["attributes"])
        self.database.run("UPDATE profiles SET body = ? WHERE id = ?", (orjson.dumps(after), number))
        return number, stored is None

    def _claim(self, number: int, before: Stored, after: Stored) -> None:
        for kind in _KINDS:
            if before.get(kind) != after.get(kind):
                if before.get(kind):
                    self.database.run("DELETE FROM identifiers WHERE key = ?", (_key(kind, before[kind]),))
                if after.get(kind):
                    self.database.run("INSERT INTO identifiers VALUES (?, ?)", (_key(kind, after[kind]), number))

    def find(self, resource: Resource) -> int:
        """Return the number of the profile that a resource leads to, or 0."""
        attributes = resource.get("attributes") or {}
        return _number(resource.get("id")) or self._owner({k: attributes[k] for k in _KINDS if attributes.get(k)})

    def _owner(self, identifiers: dict[str, str]) -> int:
        keys = [_key(kind, identifiers[kind]) for kind in _KINDS if kind in identifiers]
        found = (self.database.one("SELECT profile FROM identifiers WHERE key = ?", (key,)) for key in keys)
        return next((int(row[0]) for row in found if row is not None), 0)

    def profile(self, number: int) -> Stored | None:
        """Return a profile, or None."""
        row = self.database.one("SELECT body FROM profiles WHERE id = ?", (number,))
        return None if row is None else orjson.loads(row[0])

    def erase(self, number: int) -> None:
        """Forget a profile with all that belongs to it."""
        with self.database.transaction():
            for statement in (
                "DELETE FROM identifiers WHERE profile = ?",
                "DELETE FROM events WHERE profile = ?",
                "DELETE FROM profiles WHERE id = ?",
            ):
                self.database.run(statement, (number,))

    def knows_event(self, number: int, event: dict[str, Any], now: datetime) -> bool:
        """Say whether the profile has an event of this metric and unique id."""
        key = (number, metric_name(event), unique_id(event, now))
        return (
            self.database.one("SELECT 1 FROM events WHERE profile = ? AND metric = ? AND unique_id = ?", key)
            is not None
        )

    def add_event(self, number: int, event: dict[str, Any], *, backfill: bool, now: datetime) -> None:
        """Store an event; of two with one unique id the first stays."""
        at = event_time(event.get("time"), now) or now.replace(microsecond=0)
        kept = {name: event[name] for name in ("properties", "value", "value_currency") if event.get(name) is not None}
        self.database.run(
            "INSERT OR IGNORE INTO events VALUES (NULL, ?, ?, ?, ?, ?, ?)",
            (number, metric_name(event), unique_id(event, now), at.isoformat(), orjson.dumps(kept), backfill),
        )

    def counts(self) -> dict[str, Any]:
        """Count what is stored and what was received; `flows` are the events that could start one."""
        self.carry_out()
        one = self.database.number
        return {
            "profiles": one("SELECT count(*) FROM profiles"),
            "events": one("SELECT count(*) FROM events"),
            "flows": one("SELECT count(*) FROM events WHERE backfill = 0"),
            "jobs": one("SELECT count(*) FROM jobs"),
            "jobs_open": one("SELECT count(*) FROM jobs WHERE done = 0"),
            "requests": one("SELECT count(*) FROM requests"),
            "requests_by_status": self.database.requests_by_status(),
        }

    def profiles(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """Return stored profiles in the order of their creation."""
        self.carry_out()
        rows = self.database.run("SELECT id, body FROM profiles ORDER BY id LIMIT ? OFFSET ?", (limit, offset))
        return [{"id": profile_id(number), **orjson.loads(body)} for number, body in rows]

    def events(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """Return stored events in the order of their arrival."""
        rows = self.database.run(
            "SELECT profile, metric, unique_id, at, body, backfill FROM events ORDER BY id LIMIT ? OFFSET ?",
            (limit, offset),
        )
        return [
            {
                "profile": profile_id(owner), "metric": metric, "unique_id": key, "time": at,
                **orjson.loads(body), "backfill": bool(backfill),
            }
            for owner, metric, key, at, body, backfill in rows
        ]  # fmt: skip

    def reset(self) -> None:
        """Forget everything."""
        self.database.forget("profiles", "identifiers", "events", "jobs", "job_errors")


def profile_id(number: int) -> str:
    """Return the platform's own id of a profile."""
    return f"01KLAV{number:020d}"


def unique_id(event: dict[str, Any], now: datetime) -> str:
    """Return what an event is known by: its own key, or the second in which it happened."""
    at = event_time(event.get("time"), now) or now
    return str(event.get("unique_id") or int(at.timestamp()))


def _number(text: Any) -> int:
    return int(text[6:]) if isinstance(text, str) and text.startswith("01KLAV") and text[6:].isdecimal() else 0


def _key(kind: str, value: str) -> str:
    return f"{kind}\x1f{value.lower() if kind == 'email' else value}"


def _merged(stored: Stored, resource: Resource, *, nulls_clear: bool) -> Stored:
    sent = resource["attributes"]
    attributes = _overlaid(stored["attributes"], {k: v for k, v in sent.items() if k in TEXTS}, nulls_clear)
    location = _overlaid(stored["attributes"].get("location", {}), sent.get("location") or {}, nulls_clear)
    properties = _overlaid(stored["properties"], sent.get("properties") or {}, nulls_clear)
    patch = (resource.get("meta") or {}).get("patch_properties") or {}
    unset = patch.get("unset") or []
    for name in [unset] if isinstance(unset, str) else unset:
        properties.pop(name, None)
    attributes.pop("location", None)
    return {"attributes": attributes | ({"location": location} if location else {}), "properties": properties}


def _overlaid(stored: Stored, sent: Stored, nulls_clear: bool) -> Stored:
    """Return what is stored with what was sent; a null clears at one endpoint and means nothing at the other."""
    result = stored | {name: value for name, value in sent.items() if value is not None}
    gone = {name for name, value in sent.items() if value is None} if nulls_clear else set()
    return {name: value for name, value in result.items() if name not in gone}

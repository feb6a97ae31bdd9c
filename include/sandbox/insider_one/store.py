"""Keep profiles and events in SQLite: a request is one transaction, and all of it is there after a restart.

`synchronous` is off: a killed process loses nothing, only a machine that loses power may.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from include.sandbox.insider_one.attributes import appends, merged
from include.sandbox.insider_one.rules import DEFAULT_RETENTION_DAYS, RETENTION_DAYS, event_time

_TABLES = """
CREATE TABLE IF NOT EXISTS profiles (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS identifiers (key TEXT PRIMARY KEY, profile INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, profile INTEGER NOT NULL, name TEXT NOT NULL,
    at TEXT NOT NULL, params BLOB NOT NULL, skip_hook INTEGER NOT NULL, request INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS events_by_profile ON events (profile);
CREATE TABLE IF NOT EXISTS requests (id INTEGER PRIMARY KEY, at TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    status INTEGER NOT NULL, users INTEGER NOT NULL, bytes INTEGER NOT NULL, skip_hook INTEGER,
    successful INTEGER NOT NULL, failed INTEGER NOT NULL, events INTEGER NOT NULL, expired INTEGER NOT NULL,
    journeys INTEGER NOT NULL);
"""
_LOG_COLUMNS = (
    "id", "at", "method", "path", "status", "users", "bytes", "skip_hook", "successful", "failed", "events", "expired",
    "journeys",
)  # fmt: skip

_SEPARATOR = "\x1f"  # between the kind of an identifier and its value, in one key

Profile = dict[str, Any]  # {"identifiers": {..., "custom": {...}}, "attributes": {..., "custom": {...}}}


_NOBODY: Profile = {"identifiers": {}, "attributes": {}}


@dataclass(slots=True, kw_only=True)
class Entry:
    """Hold one line of the request log: counts only, nothing of a person."""

    method: str
    path: str
    status: int = 0
    users: int = 0
    bytes: int = 0
    skip_hook: bool | None = None
    successful: int = 0
    failed: int = 0
    events: int = 0
    expired: int = 0
    journeys: int = 0


class Store:
    """Be the platform's memory."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(home / "insider_one.sqlite", isolation_level=None, check_same_thread=False)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;" + _TABLES)
        self._last = self._scalar("SELECT coalesce(max(id), 0) FROM profiles")
        self._last_request = self._scalar("SELECT coalesce(max(id), 0) FROM requests")

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def upsert(self, users: list[dict[str, Any]], entry: Entry, now: datetime) -> None:
        """Store the users and note their events in the entry; the lists of events only ever grow."""
        with self._transaction():
            keys = [_keys(user.get("identifiers") or {}) for user in users]
            owners = self._owners(key for each in keys for key in each)
            named = {number for user in users if (number := _number(user.get("insider_id")))}
            known = self._load({*owners.values(), *named})
            changed: dict[int, Profile] = {}
            claimed: list[tuple[str, int]] = []
            events: list[tuple[Any, ...]] = []
            for user, mine in zip(users, keys, strict=True):
                number = _number(user.get("insider_id")) or next((owners[key] for key in mine if key in owners), 0)
                if number and number not in known:
                    continue  # an unknown insider_id: taken, and never seen again (guess)
                if not number:
                    self._last = number = self._last + 1
                    known[number] = _NOBODY
                before = known[number]
                new = [key for key in mine if key not in owners]
                profile = _changed(before, user, new)
                if profile != before:
                    known[number] = changed[number] = profile
                mine_now = new if before is _NOBODY else [key for key in new if _holds(profile["identifiers"], key)]
                owners.update(dict.fromkeys(mine_now, number))
                claimed += [(key, number) for key in mine_now]
                if user.get("events"):
                    events += self._events(user["events"], number, entry, now)
            self._save(changed)
            self._db.executemany("INSERT INTO identifiers VALUES (?, ?)", claimed)
            self._db.executemany("INSERT INTO events VALUES (NULL, ?, ?, ?, ?, ?, ?)", events)
            entry.events = len(events)
            entry.journeys = 0 if entry.skip_hook else len(events)

    def _events(
        self, sent: list[dict[str, Any]], number: int, entry: Entry, now: datetime
    ) -> Iterator[tuple[Any, ...]]:
        for event in sent:
            name, at = event["event_name"], event_time(event)
            if at is None or at < now - timedelta(days=RETENTION_DAYS.get(name, DEFAULT_RETENTION_DAYS)):
                entry.expired += 1  # the answer says success all the same
                continue
            params = orjson.dumps(event.get("event_params") or {})
            yield number, name, at.isoformat(), params, bool(entry.skip_hook), self._last_request + 1

    def find(self, user: dict[str, Any]) -> tuple[int, Profile] | None:
        """Return the profile that an `insider_id` or `identifiers` lead to."""
        number = _number(user.get("insider_id"))
        if not number:
            keys = _keys(user.get("identifiers") or {})
            owners = self._owners(keys)
            number = next((owners[key] for key in keys if key in owners), 0)
        profile = self._load({number}).get(number)
        return None if profile is None else (number, profile)

    def replace(self, number: int, profile: Profile) -> None:
        """Store another version of a profile, with its identifiers."""
        with self._transaction():
            self._db.execute("DELETE FROM identifiers WHERE profile = ?", (number,))
            rows = [(key, number) for key in _keys(profile["identifiers"])]
            self._db.executemany("INSERT OR IGNORE INTO identifiers VALUES (?, ?)", rows)
            self._save({number: profile})

    def delete(self, number: int) -> None:
        """Erase a profile and its events."""
        with self._transaction():
            for statement in (
                "DELETE FROM identifiers WHERE profile = ?",
                "DELETE FROM events WHERE profile = ?",
                "DELETE FROM profiles WHERE id = ?",
            ):
                self._db.execute(statement, (number,))

    def log(self, entry: Entry, now: datetime) -> None:
        """Write a line of the request log."""
        values = (
            now.isoformat(), entry.method, entry.path, entry.status, entry.users, entry.bytes, entry.skip_hook,
            entry.successful, entry.failed, entry.events, entry.expired, entry.journeys,
        )  # fmt: skip
        statement = f"INSERT INTO requests VALUES (NULL{', ?' * len(values)})"
        self._last_request = int(self._db.execute(statement, values).lastrowid or 0)

    def counts(self) -> dict[str, int]:
        """Count what is stored and what was received."""
        row = self._db.execute(
            "SELECT (SELECT count(*) FROM profiles), (SELECT count(*) FROM events), count(*),"
            " coalesce(sum(path = '/api/user/v1/upsert'), 0), coalesce(sum(users), 0), coalesce(sum(journeys), 0),"
            " coalesce(sum(expired), 0), coalesce(sum(failed), 0) FROM requests"
        ).fetchone()
        names = ("profiles", "events", "requests", "upserts", "users", "journeys", "events_expired", "users_failed")
        return dict(zip(names, row, strict=True))

    def profiles(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """Return stored profiles in the order of their creation."""
        rows = self._db.execute("SELECT id, body FROM profiles ORDER BY id LIMIT ? OFFSET ?", (limit, offset))
        return [{"insider_id": insider_id(number), **orjson.loads(body)} for number, body in rows]

    def events(self, limit: int, offset: int, profile: int | None = None) -> list[dict[str, Any]]:
        """Return stored events in the order of their arrival, of all profiles or of one."""
        rows = self._db.execute(
            "SELECT id, profile, name, at, params, skip_hook, request FROM events WHERE ? IS NULL OR profile = ?"
            " ORDER BY id LIMIT ? OFFSET ?",
            (profile, profile, limit, offset),
        )
        return [
            {
                "id": number, "insider_id": insider_id(owner), "event_name": name, "timestamp": at,
                "event_params": orjson.loads(params), "skip_hook": bool(skip), "request": request,
            }
            for number, owner, name, at, params, skip, request in rows
        ]  # fmt: skip

    def requests(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """Return the request log, the newest first."""
        rows = self._db.execute("SELECT * FROM requests ORDER BY id DESC LIMIT ? OFFSET ?", (limit, offset))
        found = [dict(zip(_LOG_COLUMNS, row, strict=True)) for row in rows]
        return [each | {"skip_hook": None if each["skip_hook"] is None else bool(each["skip_hook"])} for each in found]

    def custom_names(self) -> list[str]:
        """Return the names of the custom attributes that a sample of profiles holds."""
        names: set[str] = set()
        for profile in self.profiles(1_000, 0):
            names.update(profile["attributes"].get("custom", ()))
        return sorted(names)

    def reset(self) -> None:
        """Forget everything."""
        with self._transaction():
            for table in ("profiles", "identifiers", "events", "requests"):
                self._db.execute(f"DELETE FROM {table}")
        self._last = self._last_request = 0

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _owners(self, keys: Iterable[str]) -> dict[str, int]:
        wanted = orjson.dumps(list(keys)).decode()
        return dict(
            self._db.execute(
                "SELECT i.key, i.profile FROM json_each(?) AS wanted JOIN identifiers AS i ON i.key = wanted.value",
                (wanted,),
            )
        )

    def _load(self, numbers: set[int]) -> dict[int, Profile]:
        if not numbers:
            return {}
        rows = self._db.execute(
            "SELECT p.id, p.body FROM json_each(?) AS wanted JOIN profiles AS p ON p.id = wanted.value",
            (orjson.dumps(list(numbers)).decode(),),
        )
        return {number: orjson.loads(body) for number, body in rows}

    def _save(self, profiles: dict[int, Profile]) -> None:
        rows = [(number, orjson.dumps(profile)) for number, profile in profiles.items()]
        self._db.executemany("INSERT OR REPLACE INTO profiles VALUES (?, ?)", rows)

    def _scalar(self, statement: str) -> int:
        return int(self._db.execute(statement).fetchone()[0])


def insider_id(number: int) -> str:
    """Return the platform's own id of a profile."""
    return f"ins-{number}"


def now_utc() -> datetime:
    """Return the sandbox's now."""
    return datetime.now(UTC)


def _number(text: Any) -> int:
    return int(text[4:]) if isinstance(text, str) and text.startswith("ins-") and text[4:].isdecimal() else 0


def _keys(identifiers: dict[str, Any]) -> list[str]:
    """Return the identifiers as keys, the strongest first: uuid, custom ones, e-mail, phone number (guess)."""
    keys = [f"uuid{_SEPARATOR}{identifiers['uuid']}"] if "uuid" in identifiers else []
    custom = identifiers.get("custom")
    if isinstance(custom, dict):
        keys += [f"custom.{name}{_SEPARATOR}{value}" for name, value in sorted(custom.items()) if value is not None]
    keys += [f"{kind}{_SEPARATOR}{identifiers[kind]}" for kind in ("email", "phone_number") if kind in identifiers]
    return keys


def _holds(identifiers: dict[str, Any], key: str) -> bool:
    kind, _, value = key.partition(_SEPARATOR)
    if kind.startswith("custom."):
        return str(identifiers.get("custom", {}).get(kind[7:])) == value
    return str(identifiers.get(kind)) == value


def _changed(profile: Profile, user: dict[str, Any], new: list[str]) -> Profile:
    """Return the profile with what was sent. An identifier that it has already is never changed by an upsert."""
    attributes = user.get("attributes")
    return {
        "identifiers": _with_new(profile["identifiers"], new) if new else profile["identifiers"],
        "attributes": merged(profile["attributes"], attributes, append=appends(user))
        if attributes
        else profile["attributes"],
    }


def _with_new(identifiers: dict[str, Any], new: list[str]) -> dict[str, Any]:
    """Return the identifiers with those keys that nobody owns yet, unless there is one of the kind."""
    result = dict(identifiers)
    for key in new:
        kind, _, value = key.partition(_SEPARATOR)
        if kind.startswith("custom."):
            result["custom"] = {kind[7:]: value} | result.get("custom", {})
        else:
            result.setdefault(kind, value)
    return result

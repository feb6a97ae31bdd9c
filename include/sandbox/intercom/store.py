"""Keep contacts, their attributes and events; who is known by what, and since when a search finds him."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from include.sandbox.platform.database import Database, Entry

_TABLES = """
CREATE TABLE IF NOT EXISTS contacts (id TEXT PRIMARY KEY, number INTEGER NOT NULL, external_id TEXT, email TEXT,
    phone TEXT, role TEXT NOT NULL, archived INTEGER NOT NULL DEFAULT 0, merged_into TEXT, created REAL NOT NULL,
    body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS contacts_by_external_id ON contacts (external_id);
CREATE INDEX IF NOT EXISTS contacts_by_email ON contacts (email);
CREATE INDEX IF NOT EXISTS contacts_by_phone ON contacts (phone);
CREATE INDEX IF NOT EXISTS contacts_by_number ON contacts (number);
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, contact TEXT NOT NULL, name TEXT NOT NULL,
    created_at INTEGER NOT NULL, metadata BLOB NOT NULL, repeats INTEGER NOT NULL DEFAULT 0,
    UNIQUE (contact, name, created_at));
CREATE TABLE IF NOT EXISTS attributes (name TEXT PRIMARY KEY, data_type TEXT NOT NULL) WITHOUT ROWID;
"""
_GIVEN = {
    "salesforce_id": "string",
    "account_name": "string",
    "account_tier": "string",
    "title": "string",
    "lead_source": "string",
    "lead_status": "string",
    "employees": "integer",
    "annual_revenue": "float",
    "vip": "boolean",
    "last_activity_at": "date",
    "synced_as_backfill": "boolean",
}

Contact = dict[str, Any]


class Store:
    """Be the workspace's memory."""

    def __init__(self, home: Path) -> None:
        self.database = Database(home / "intercom.sqlite", _TABLES)
        self._last = self.database.number("SELECT max(number) FROM contacts")
        self._types: dict[str, str] = {}
        self._begin()

    def _begin(self) -> None:
        for name, kind in _GIVEN.items():
            self.database.run("INSERT OR IGNORE INTO attributes VALUES (?, ?)", (name, kind))
        self._types = dict(self.database.run("SELECT name, data_type FROM attributes"))

    @property
    def types(self) -> dict[str, str]:
        """Return the custom attributes of contacts with their types."""
        return self._types

    def define(self, name: str, kind: str) -> bool:
        """Make a custom attribute; False if there is one of this name."""
        if name in self._types:
            return False
        self.database.run("INSERT INTO attributes VALUES (?, ?)", (name, kind))
        self._types[name] = kind
        return True

    def create(self, sent: Contact) -> Contact:
        """Make a contact of what was sent."""
        self._last += 1
        now = time.time()
        contact: Contact = {
            "type": "contact",
            "id": f"{int(now):08x}{self._last:016x}",
            "workspace_id": "sandbox",
            "external_id": None, "role": "user", "email": None, "phone": None, "name": None, "avatar": None,
            "owner_id": None, "unsubscribed_from_emails": False, "signed_up_at": None, "last_seen_at": None,
            "language_override": None, "created_at": int(now), "custom_attributes": {},
        }  # fmt: skip
        made = _changed(contact, sent)
        self._save(made, number=self._last, created=now)
        return made

    def change(self, contact: Contact, sent: Contact) -> Contact:
        """Write what was sent into a contact; a null empties."""
        changed = _changed(contact, sent)
        self.database.run(
            "UPDATE contacts SET external_id = ?, email = ?, phone = ?, role = ?, body = ? WHERE id = ?",
            (*_keys(changed), orjson.dumps(changed), changed["id"]),
        )
        return changed

    def get(self, contact_id: str) -> tuple[Contact, bool, str] | None:
        """Return a contact, whether it is archived, and into which it was merged ("": none)."""
        row = self.database.one("SELECT body, archived, merged_into FROM contacts WHERE id = ?", (contact_id,))
        return None if row is None else (orjson.loads(row[0]), bool(row[1]), row[2] or "")

    def by_external_id(self, external_id: str) -> str:
        """Return the id of the contact with this external id, the merged and archived ones too; "" if none."""
        row = self.database.one(
            "SELECT id FROM contacts WHERE external_id = ? ORDER BY merged_into IS NOT NULL, number", (external_id,)
        )
        return str(row[0]) if row else ""

    def twins(self, sent: Contact, but: str = "") -> list[tuple[str, bool]]:
        """Return the users that have an identifier of these, with whether they are archived."""
        rows = self.database.run(
            "SELECT id, archived FROM contacts WHERE merged_into IS NULL AND id <> ?"
            " AND (external_id = ? OR (email = ? AND role = 'user' AND ? = 'user')) ORDER BY number",
            (but, sent.get("external_id"), (sent.get("email") or "").casefold() or None, sent.get("role") or "user"),
        )
        return [(str(contact), bool(archived)) for contact, archived in rows]

    def archive(self, contact_id: str, *, archived: bool) -> None:
        """Archive a contact, or bring it back."""
        self.database.run("UPDATE contacts SET archived = ? WHERE id = ?", (archived, contact_id))

    def delete(self, contact_id: str) -> None:
        """Delete a contact and its events."""
        with self.database.transaction():
            self.database.run("DELETE FROM events WHERE contact = ?", (contact_id,))
            self.database.run("DELETE FROM contacts WHERE id = ?", (contact_id,))

    def merge(self, gone: str, into: str) -> None:
        """Let a contact go into another one, with its events."""
        with self.database.transaction():
            self.database.run("UPDATE OR IGNORE events SET contact = ? WHERE contact = ?", (into, gone))
            self.database.run("UPDATE contacts SET merged_into = ? WHERE id = ?", (into, gone))

    def add_event(self, contact_id: str, sent: dict[str, Any]) -> bool:
        """Store an event; False if it is there already: contact, name and second are its key."""
        added = self.database.run(
            "INSERT INTO events (contact, name, created_at, metadata) VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET repeats = repeats + 1 RETURNING repeats",
            (contact_id, sent["event_name"], sent["created_at"], orjson.dumps(sent["metadata"])),
        ).fetchone()
        return bool(added[0] == 0)

    def ids_with(self, column: str, values: Iterable[Any], *, before: float) -> set[str]:
        """Return the contacts that a search finds by one of their keys."""
        wanted = orjson.dumps([value.casefold() if column == "email" else value for value in values]).decode()
        rows = self.database.run(
            f"SELECT id FROM contacts WHERE {column} IN (SELECT value FROM json_each(?))"
            " AND archived = 0 AND merged_into IS NULL AND created <= ?",
            (wanted, before),
        )
        return {row[0] for row in rows}

    def visible(self, *, before: float) -> list[Contact]:
        """Return all contacts that a search finds."""
        rows = self.database.run(
            "SELECT body FROM contacts WHERE archived = 0 AND merged_into IS NULL AND created <= ?", (before,)
        )
        return [orjson.loads(row[0]) for row in rows]

    def ordered(self, ids: set[str], *, after: int, limit: int) -> list[tuple[int, Contact]]:
        """Return these contacts in the order of their making, from a place on."""
        rows = self.database.run(
            "SELECT number, body FROM contacts WHERE id IN (SELECT value FROM json_each(?)) AND number > ?"
            " ORDER BY number LIMIT ?",
            (orjson.dumps(sorted(ids)).decode(), after, limit),
        )
        return [(number, orjson.loads(body)) for number, body in rows]

    def contacts(self, limit: int, offset: int) -> list[Contact]:
        """Return the stored contacts in the order of their making, with what became of them."""
        rows = self.database.run(
            "SELECT body, archived, merged_into FROM contacts ORDER BY number LIMIT ? OFFSET ?", (limit, offset)
        )
        return [
            {**orjson.loads(body), "archived": bool(archived), "merged_into": merged} for body, archived, merged in rows
        ]

    def events(self, limit: int, offset: int, contact_id: str | None = None) -> list[dict[str, Any]]:
        """Return the stored events in the order of their arrival; `repeats` counts how often one came again."""
        rows = self.database.run(
            "SELECT contact, name, created_at, metadata, repeats FROM events WHERE ? IS NULL OR contact = ?"
            " ORDER BY id LIMIT ? OFFSET ?",
            (contact_id, contact_id, limit, offset),
        )
        names = ("contact", "event_name", "created_at", "metadata", "repeats")
        return [dict(zip(names, (*row[:3], orjson.loads(row[3]), row[4]), strict=True)) for row in rows]

    def counts(self) -> dict[str, Any]:
        """Count what is stored and what was received."""
        number = self.database.number
        return {
            "contacts": number("SELECT count(*) FROM contacts WHERE merged_into IS NULL"),
            "archived": number("SELECT count(*) FROM contacts WHERE archived"),
            "events": number("SELECT count(*) FROM events"),
            "events_repeated": number("SELECT coalesce(sum(repeats), 0) FROM events"),
            "requests": number("SELECT count(*) FROM requests"),
            "by_status": self.database.requests_by_status(),
        }

    def log(self, entry: Entry) -> None:
        """Write a line of the request log."""
        self.database.log(entry)

    def reset(self) -> None:
        """Forget everything but the attributes that a workspace begins with."""
        self.database.forget("contacts", "events", "attributes")
        self._last = 0
        self._begin()

    def _save(self, contact: Contact, *, number: int, created: float) -> None:
        self.database.run(
            "INSERT INTO contacts (id, number, external_id, email, phone, role, created, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (contact["id"], number, *_keys(contact), created, orjson.dumps(contact)),
        )


def _keys(contact: Contact) -> tuple[Any, ...]:
    email = contact.get("email")
    return contact.get("external_id"), email.casefold() if email else None, contact.get("phone"), contact["role"]


def _changed(contact: Contact, sent: Contact) -> Contact:
    kept = {name: value for name, value in sent.items() if name not in ("custom_attributes", "avatar")}
    custom = contact["custom_attributes"] | (sent.get("custom_attributes") or {})
    changed = contact | kept | {"updated_at": int(time.time())}
    changed["custom_attributes"] = {name: value for name, value in custom.items() if value is not None}
    if changed.get("email"):
        changed["email"] = changed["email"].casefold()  # the platform keeps addresses in lower case
    if "avatar" in sent:
        changed["avatar"] = {"type": "avatar", "image_url": sent["avatar"]} if sent["avatar"] else None
    return changed

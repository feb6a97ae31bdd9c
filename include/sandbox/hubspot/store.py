"""Keep contacts, properties and events of the account."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from include.sandbox.hubspot.rules import Property, given_properties
from include.sandbox.platform.database import Database

_TABLES = """
CREATE TABLE IF NOT EXISTS contacts (id INTEGER PRIMARY KEY, archived INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS keys (property TEXT NOT NULL, value TEXT NOT NULL, contact INTEGER NOT NULL,
    PRIMARY KEY (property, value)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keys_by_contact ON keys (contact);
CREATE TABLE IF NOT EXISTS properties (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS definitions (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (uuid TEXT PRIMARY KEY, contact TEXT NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL,
    properties BLOB NOT NULL, repeats INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
"""
_FIRST_ID = 1_000
_EVENTS = ("opportunity_won", "stage_changed", "contact_updated")

Values = dict[str, str]


class Store:
    """Be the account's memory."""

    def __init__(self, home: Path) -> None:
        self.database = Database(home / "hubspot.sqlite", _TABLES)
        self.properties: dict[str, Property] = {}
        self._begin()

    def _begin(self) -> None:
        for one in given_properties():
            self.database.run("INSERT OR IGNORE INTO properties VALUES (?, ?)", (one["name"], orjson.dumps(one)))
        for name in _EVENTS:
            self.define_event(name)
        rows = self.database.run("SELECT name, body FROM properties")
        self.properties = {name: orjson.loads(body) for name, body in rows}
        self._last = self.database.number("SELECT max(id) FROM contacts") or _FIRST_ID

    def define(self, one: Property) -> None:
        """Make a property."""
        self.database.run("INSERT OR REPLACE INTO properties VALUES (?, ?)", (one["name"], orjson.dumps(one)))
        self.properties[one["name"]] = one

    def define_event(self, name: str) -> None:
        """Make an event's definition."""
        self.database.run("INSERT OR IGNORE INTO definitions VALUES (?)", (name,))

    def knows_event(self, name: str) -> bool:
        """Say whether there is such an event, with or without the account's prefix."""
        bare = name.partition("_")[2] if name.startswith("pe") and name[2:3].isdecimal() else name
        return self.database.one("SELECT 1 FROM definitions WHERE name = ?", (bare,)) is not None

    def find(self, name: str, value: str) -> int:
        """Return the number of the contact with this unique value; 0 if there is none."""
        row = self.database.one("SELECT contact FROM keys WHERE property = ? AND value = ?", (name, value.casefold()))
        return int(row[0]) if row else 0

    def get(self, number: int) -> Values | None:
        """Return the properties of a contact that is not archived."""
        row = self.database.one("SELECT body FROM contacts WHERE id = ? AND archived = 0", (number,))
        return None if row is None else orjson.loads(row[0])

    def taken_by_other(self, values: Values, number: int) -> str:
        """Return which unique value of these another contact has, as "property value-owner"; "" if none."""
        for name, value in values.items():
            if value and self.properties[name]["unique"]:
                owner = self.find(name, value)
                if owner and owner != number:
                    return str(owner)
        return ""

    def create(self, values: Values) -> int:
        """Make a contact."""
        self._last += 1
        made = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        body = {"hs_object_id": str(self._last), "createdate": made}
        self.database.run("INSERT INTO contacts (id, body) VALUES (?, ?)", (self._last, orjson.dumps(body)))
        self.change(self._last, values)
        return self._last

    def change(self, number: int, values: Values) -> Values:
        """Write values into a contact; an empty text clears."""
        held = self.get(number) or {}
        changed = {name: value for name, value in {**held, **values}.items() if value != ""}
        if "email" in changed:
            changed["email"] = changed["email"].casefold()
        self.database.run("UPDATE contacts SET body = ? WHERE id = ?", (orjson.dumps(changed), number))
        unique = [name for name in values if self.properties[name]["unique"]]
        for name in unique:
            self.database.run("DELETE FROM keys WHERE contact = ? AND property = ?", (number, name))
            if values[name]:
                self.database.run("INSERT INTO keys VALUES (?, ?, ?)", (name, values[name].casefold(), number))
        return changed

    def archive(self, number: int) -> None:
        """Archive a contact: nobody finds it any more, and its unique values are free."""
        self.database.run("UPDATE contacts SET archived = 1 WHERE id = ?", (number,))
        self.database.run("DELETE FROM keys WHERE contact = ?", (number,))

    def add_event(self, sent: dict[str, Any]) -> None:
        """Store an event; of one uuid only the first."""
        self.database.run(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET repeats = repeats + 1",
            (
                sent["uuid"], str(sent.get("objectId") or sent.get("email")), sent["eventName"], sent["occurredAt"],
                orjson.dumps(sent.get("properties") or {}),
            ),
        )  # fmt: skip

    def contacts(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """Return the stored contacts in the order of their making."""
        rows = self.database.run(
            "SELECT id, archived, body FROM contacts ORDER BY id LIMIT ? OFFSET ?", (limit, offset)
        )
        return [
            {"id": str(number), "archived": bool(archived), "properties": orjson.loads(body)}
            for number, archived, body in rows
        ]

    def events(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """Return the stored events; `repeats` counts how often one came again."""
        rows = self.database.run(
            "SELECT uuid, contact, name, at, properties, repeats FROM events ORDER BY at, uuid LIMIT ? OFFSET ?",
            (limit, offset),
        )
        names = ("uuid", "contact", "eventName", "occurredAt", "properties", "repeats")
        return [dict(zip(names, (*row[:4], orjson.loads(row[4]), row[5]), strict=True)) for row in rows]

    def counts(self) -> dict[str, Any]:
        """Count what is stored and what was received."""
        number = self.database.number
        return {
            "contacts": number("SELECT count(*) FROM contacts WHERE archived = 0"),
            "archived": number("SELECT count(*) FROM contacts WHERE archived"),
            "events": number("SELECT count(*) FROM events"),
            "events_repeated": number("SELECT coalesce(sum(repeats), 0) FROM events"),
            "requests": number("SELECT count(*) FROM requests"),
            "by_status": self.database.requests_by_status(),
        }

    def reset(self) -> None:
        """Forget everything but what an account begins with."""
        self.database.forget("contacts", "keys", "properties", "definitions", "events")
        self._begin()

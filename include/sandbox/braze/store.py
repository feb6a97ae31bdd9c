"""Keep users and events. Every event is stored, however often it comes; a null clears an attribute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from include.sandbox.platform.database import Database

_TABLES = """
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, user INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS keys_by_user ON keys (user);
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY, user INTEGER NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL,
    properties BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS points (id INTEGER PRIMARY KEY, spent INTEGER NOT NULL);
"""
IDENTIFIERS = ("external_id", "user_alias", "braze_id", "email", "phone")

Element = dict[str, Any]


class Store:
    """Be the platform's memory."""

    def __init__(self, home: Path) -> None:
        self.database = Database(home / "braze.sqlite", _TABLES)

    def update(self, element: Element) -> None:
        """Create or update the user of an element of `attributes`; unless it may only update and nobody is there."""
        number = self._user(element)
        if not number:
            return
        kind = next(kind for kind in IDENTIFIERS if element.get(kind))
        control = {"external_id", "user_alias", "braze_id", "_update_existing_only"}
        sent = {name: value for name, value in element.items() if name not in control}
        body = self.user(number)
        after = {name: value for name, value in {**body, **sent}.items() if value is not None}
        self.database.run("UPDATE users SET body = ? WHERE id = ?", (orjson.dumps(after), number))
        for contact in ("email", "phone"):
            if after.get(contact) != body.get(contact) or kind == contact:
                self._keep_contact(contact, body.get(contact), after.get(contact), number)
        self.database.run("INSERT INTO points VALUES (NULL, ?)", (len(sent),))

    def _keep_contact(self, kind: str, before: Any, after: Any, number: int) -> None:
        if before:
            self.database.run("DELETE FROM keys WHERE key = ? AND user = ?", (_key(kind, before), number))
        if after:  # of several users with one address the latest is found by it (guess)
            self.database.run("INSERT OR REPLACE INTO keys VALUES (?, ?)", (_key(kind, after), number))

    def add_event(self, element: Element, at: str) -> None:
        """Store an event, once more if it was sent once more."""
        number = self._user(element)
        if number:
            properties = orjson.dumps(element.get("properties") or {})
            row = (number, element["name"], at, properties)
            self.database.run("INSERT INTO events VALUES (NULL, ?, ?, ?, ?)", row)

    def _user(self, element: Element) -> int:
        """Return the number of an element's user, who is made if need be; 0 when nobody may be made."""
        kind = next(kind for kind in IDENTIFIERS if element.get(kind))
        key = _key(kind, element[kind])
        row = self.database.one("SELECT user FROM keys WHERE key = ?", (key,))
        if row is not None:
            return int(row[0])
        only_existing = element.get("_update_existing_only", kind == "user_alias")
        if only_existing or kind == "braze_id":
            return 0
        known = {} if kind == "user_alias" else {kind: element[kind]}
        body = {"user_aliases": [element[kind]]} if kind == "user_alias" else known
        number = self.database.run("INSERT INTO users VALUES (NULL, ?)", (orjson.dumps(body),)).lastrowid or 0
        self.database.run("INSERT INTO keys VALUES (?, ?)", (key, number))
        return number

    def delete(self, kind: str, value: Any) -> bool:
        """Erase a user with all events; return whether there was one."""
        row = self.database.one("SELECT user FROM keys WHERE key = ?", (_key(kind, value),))
        if row is None:
            return False
        for statement in (
            "DELETE FROM keys WHERE user = ?",
            "DELETE FROM events WHERE user = ?",
            "DELETE FROM users WHERE id = ?",
        ):
            self.database.run(statement, row)
        return True

    def user(self, number: int) -> Element:
        """Return what is known of a user."""
        row = self.database.one("SELECT body FROM users WHERE id = ?", (number,))
        found: Element = orjson.loads(row[0]) if row else {}
        return found

    def counts(self) -> dict[str, Any]:
        """Count what is stored and what was received; `data_points` is what the attributes would be billed as."""
        one = self.database.number
        return {
            "users": one("SELECT count(*) FROM users"),
            "events": one("SELECT count(*) FROM events"),
            "data_points": one("SELECT sum(spent) FROM points"),
            "requests": one("SELECT count(*) FROM requests"),
            "requests_by_status": self.database.requests_by_status(),
        }

    def users(self, limit: int, offset: int) -> list[Element]:
        """Return stored users in the order of their creation."""
        rows = self.database.run("SELECT id, body FROM users ORDER BY id LIMIT ? OFFSET ?", (limit, offset))
        return [{"braze_id": str(number), **orjson.loads(body)} for number, body in rows]

    def events(self, limit: int, offset: int) -> list[Element]:
        """Return stored events in the order of their arrival."""
        rows = self.database.run(
            "SELECT user, name, at, properties FROM events ORDER BY id LIMIT ? OFFSET ?", (limit, offset)
        )
        return [
            {"braze_id": str(user), "name": name, "time": at, "properties": orjson.loads(properties)}
            for user, name, at, properties in rows
        ]

    def reset(self) -> None:
        """Forget everything."""
        self.database.forget("users", "keys", "events", "points")


def _key(kind: str, value: Any) -> str:
    if kind == "user_alias":
        return f"alias\x1f{value['alias_label']}\x1f{value['alias_name']}"
    return f"{kind}\x1f{value.lower() if kind == 'email' else value}"

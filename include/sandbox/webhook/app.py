"""Be a receiver of signed webhooks that does what a good one should: believe nothing unsigned, take nothing twice."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from include.sandbox.platform.answer import Answer
from include.sandbox.platform.control import Control
from include.sandbox.platform.database import Database, Entry, entry_of
from include.sandbox.platform.endpoint import Endpoint
from include.sandbox.platform.faults import Fault, Faults
from include.sandbox.webhook.credentials import SECRET
from include.sandbox.webhook.signing import refusal

MAX_BYTES = 2_000_000
_TABLES = """
CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (key TEXT PRIMARY KEY, record TEXT NOT NULL, body BLOB NOT NULL,
    times INTEGER NOT NULL);
"""
_VALUES = ("attributes", "custom_attributes")


class Receiver:
    """Be the endpoint over a database."""

    def __init__(self, database: Database, faults: Faults) -> None:
        self._db = database
        self.endpoint = Endpoint(faults=faults, answer=self._answer, line=entry_of, log=database.log, bodies={})

    def _answer(self, request: Request, body: bytes, entry: Entry, fault: Fault | None) -> Answer:
        reason = refusal(request.headers, body, SECRET, time.time())
        if reason:
            return Answer(status=401, body={"error": reason})
        if len(body) > MAX_BYTES:
            return Answer(status=413, body={"error": f"at most {MAX_BYTES} bytes"})
        try:
            records = orjson.loads(body)["data"]["records"]
            ids = [str(each["record_id"]) for each in records]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return Answer(status=400, body={"error": "a message holds data.records, each with a record_id"})
        entry.records = len(records)
        if fault is not None and any(fault.refuses(place, who) for place, who in enumerate(ids)):
            entry.refused = len(records)  # of a refused message nothing is kept
            return Answer(status=422, body={"error": "a record is refused"})
        entry.taken = len(records)
        with self._db.transaction():
            if self._is_new(request.headers["webhook-id"]):
                for record in records:
                    self._keep(record)
        return Answer(status=204, body=None)

    def _is_new(self, message: str) -> bool:
        statement = (
            "INSERT INTO messages VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET times = times + 1 RETURNING times"
        )
        return self._db.number(statement, (message,)) == 1

    def _keep(self, record: dict[str, Any]) -> None:
        who = record["record_id"]
        if record.get("action") in ("delete", "archive"):
            self._db.run("DELETE FROM records WHERE id = ?", (who,))
            return
        row = self._db.one("SELECT body FROM records WHERE id = ?", (who,))
        kept = orjson.loads(row[0]) if row else {}
        for name in _VALUES:
            values = {**kept.get(name, {}), **(record.get(name) or {})}
            kept[name] = {key: value for key, value in values.items() if value is not None}
        kept |= {name: record[name] for name in ("identifiers", "custom_identifiers") if record.get(name)}
        self._db.run("INSERT OR REPLACE INTO records VALUES (?, ?)", (who, orjson.dumps(kept)))
        for event in record.get("events") or []:
            self._db.run(
                "INSERT INTO events VALUES (?, ?, ?, 1) ON CONFLICT (key) DO UPDATE SET times = times + 1",
                (event["key"], who, orjson.dumps({name: event[name] for name in event if name != "key"})),
            )

    def counts(self) -> dict[str, Any]:
        """Count what is stored and what was received; `repeats` are messages that came with a known id."""
        one = self._db.number
        return {
            "records": one("SELECT count(*) FROM records"),
            "events": one("SELECT count(*) FROM events"),
            "events_repeated": one("SELECT sum(times - 1) FROM events"),
            "messages": one("SELECT count(*) FROM messages"),
            "repeats": one("SELECT sum(times - 1) FROM messages"),
            "requests": one("SELECT count(*) FROM requests"),
            "requests_by_status": self._db.requests_by_status(),
        }

    def records(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """Return stored records in the order of their ids."""
        rows = self._db.run("SELECT id, body FROM records ORDER BY id LIMIT ? OFFSET ?", (limit, offset))
        return [{"record_id": who, **orjson.loads(body)} for who, body in rows]

    def events(self, limit: int, offset: int) -> list[dict[str, Any]]:
        """Return stored events in the order of their keys."""
        rows = self._db.run(
            "SELECT key, record, body, times FROM events ORDER BY key LIMIT ? OFFSET ?", (limit, offset)
        )
        return [{"key": key, "record_id": who, **orjson.loads(body), "times": times} for key, who, body, times in rows]

    def reset(self) -> None:
        """Forget everything."""
        self._db.forget("messages", "records", "events")


def make_app(home: Path) -> Starlette:
    """Return the application over the database in `home`."""
    database, faults = Database(home / "webhook.sqlite", _TABLES), Faults()
    receiver = Receiver(database, faults)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        database.close()

    control = Control(
        service="webhook",
        faults=faults,
        counts=receiver.counts,
        reset=receiver.reset,
        pages={"records": receiver.records, "events": receiver.events, "requests": database.requests},
    )
    return Starlette(
        routes=[Route("/inbox", receiver.endpoint.__call__, methods=["POST"]), *control.routes()], lifespan=lifespan
    )

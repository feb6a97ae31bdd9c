"""Answer the platform's own endpoints."""

from __future__ import annotations

import re
from typing import Any

import orjson
from starlette.requests import Request

from include.sandbox.hubspot.batches import Batches
from include.sandbox.hubspot.credentials import TOKEN
from include.sandbox.hubspot.errors import BODIES, Refused, error
from include.sandbox.hubspot.rules import described
from include.sandbox.hubspot.store import Store
from include.sandbox.platform.answer import Answer
from include.sandbox.platform.database import Entry
from include.sandbox.platform.faults import Fault
from include.sandbox.platform.rate import Window

_MOST_EVENTS = 500
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
_BATCH = re.compile(r"/crm/v3/objects/contacts/batch/(upsert|update|read|archive)")


class Account:
    """Be the endpoints over a store.

    Args:
        store: what is held.
        window: the limit of requests, but for events.
        daily: how many requests a day takes; 0 is no limit.
    """

    def __init__(self, store: Store, window: Window, *, daily: int = 0) -> None:
        self._store = store
        self._batches = Batches(store)
        self._window = window
        self._day = Window(daily, 86_400) if daily else None

    def answer(self, request: Request, body: bytes, entry: Entry, fault: Fault | None) -> Answer:
        """Answer one request; those that count against the window tell what is left of it."""
        if entry.path.startswith("/events/"):
            return self._judged(request, body, entry, fault)
        if self._day is not None and not self._day.take():
            text = "You have reached your daily limit."
            return Answer(status=429, body=error("RATE_LIMITS", text, errorType="RATE_LIMIT", policyName="DAILY"))
        allowed = self._window.take()
        answer = self._judged(request, body, entry, fault) if allowed else Answer(status=429, body=BODIES[429])
        headers = {
            "X-HubSpot-RateLimit-Max": str(self._window.limit),
            "X-HubSpot-RateLimit-Remaining": str(self._window.remaining),
            "X-HubSpot-RateLimit-Interval-Milliseconds": str(int(self._window.seconds * 1000)),
        }
        return Answer(status=answer.status, body=answer.body, headers={**headers, **answer.headers})

    def _judged(self, request: Request, body: bytes, entry: Entry, fault: Fault | None) -> Answer:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Answer(status=401, body=BODIES[401])
        try:
            return self._called(entry, orjson.loads(body) if body else {}, fault)
        except orjson.JSONDecodeError:
            return Answer(status=400, body=BODIES[400])
        except Refused as refused:
            return refused.answer

    def _called(self, entry: Entry, order: Any, fault: Fault | None) -> Answer:
        batch = _BATCH.fullmatch(entry.path)
        if batch and batch[1] == "read":
            return self._batches.read(order, entry)
        if batch and batch[1] == "archive":
            return self._batches.archive(order, entry)
        if batch:
            return self._batches.write(batch[1], order, entry, fault)
        if entry.path == "/crm/v3/objects/contacts":
            return Answer(body={"results": self._store.contacts(1, 0)})
        if entry.path.startswith("/events/"):
            return self._events(order, entry)
        if entry.method == "POST":
            return self._define(order)
        return Answer(body={"results": [described(one) for one in self._store.properties.values()]})

    def _events(self, order: Any, entry: Entry) -> Answer:
        inputs = order.get("inputs") if isinstance(order, dict) else None
        if not isinstance(inputs, list) or not 1 <= len(inputs) <= _MOST_EVENTS:
            raise Refused(400, "VALIDATION_ERROR", f"inputs must hold from 1 to {_MOST_EVENTS} events")
        entry.records = len(inputs)
        for one in inputs:
            self._check_event(one)
        with self._store.database.transaction():
            for one in inputs:
                self._store.add_event(one)
        entry.taken = len(inputs)
        return Answer(status=204, body=None)

    def _check_event(self, one: Any) -> None:
        if not isinstance(one, dict) or not self._store.knows_event(str(one.get("eventName"))):
            raise Refused(400, "VALIDATION_ERROR", "No event type found for this eventName")
        if not (one.get("objectId") or one.get("email") or one.get("utk")):
            raise Refused(400, "VALIDATION_ERROR", "one of objectId, email and utk is required")
        if not _UUID.fullmatch(str(one.get("uuid"))):  # stricter than the real one, where it may be left out
            raise Refused(400, "VALIDATION_ERROR", "uuid is required")
        if not _MOMENT.fullmatch(str(one.get("occurredAt"))):
            raise Refused(400, "VALIDATION_ERROR", "occurredAt must be a time")
        values = one.get("properties") or {}
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise Refused(400, "VALIDATION_ERROR", "properties must hold texts")

    def _define(self, order: Any) -> Answer:
        one = {
            "name": str(order["name"]), "type": str(order.get("type") or "string"),
            "unique": bool(order.get("hasUniqueValue")), "read_only": False,
        }  # fmt: skip
        self._store.define(one)
        return Answer(status=201, body=described(one))

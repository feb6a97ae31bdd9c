"""Answer the platform's own endpoints. Where the vendor's pages are silent, a comment says "guess"."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
from starlette.requests import Request

from include.sandbox.braze.credentials import KEY
from include.sandbox.braze.store import IDENTIFIERS, Element, Store
from include.sandbox.platform.answer import Answer
from include.sandbox.platform.database import Entry, entry_of
from include.sandbox.platform.endpoint import Endpoint
from include.sandbox.platform.faults import Fault, Faults
from include.sandbox.platform.rate import Window

MAX_BYTES = 4_000_000
MAX_OBJECTS = 75
MAX_DELETIONS = 50
_ARRAYS = ("attributes", "events", "purchases")
_BODIES = {
    400: {"message": "Bad Request", "errors": []},
    401: {"message": "Invalid API Key"},
    403: {"message": "Forbidden"},
    429: {"message": "Rate Limit Exceeded"},
    500: {"message": "Internal Server Error"},
    503: {"message": "Service Unavailable"},
    504: "<html><body><h1>504 Gateway Time-out</h1></body></html>",
}


class Platform:
    """Be the endpoints over a store.

    Args:
        store: the memory.
        faults: what is to go wrong.
        pace: how many times the platform's own rates are allowed.
    """

    def __init__(self, store: Store, faults: Faults, *, pace: float = 1.0) -> None:
        self._store = store
        self._calls: dict[str, tuple[Window, Callable[[Any, Entry, Fault | None], Answer]]] = {
            "/users/track": (Window(int(3_000 * pace), 3), self._track),
            "/users/delete": (Window(int(20_000 * pace), 60), self._delete),
        }
        self.endpoint = Endpoint(
            faults=faults, answer=self._answer, line=entry_of, log=store.database.log, bodies=_BODIES
        )

    def _answer(self, request: Request, body: bytes, entry: Entry, fault: Fault | None) -> Answer:
        window, call = self._calls[entry.path]
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return Answer(status=401, body=_BODIES[401])
        allowed = window.take()
        headers = {
            "X-RateLimit-Limit": str(window.limit),
            "X-RateLimit-Remaining": str(window.remaining),
            "X-RateLimit-Reset": str(int(window.resets_at)),
        }
        if not allowed:
            headers["X-RateLimit-Retry-After"] = str(window.wait_seconds())
            return Answer(status=429, body=_BODIES[429], headers=headers)
        answer = self._written(body, entry, fault, call)
        return Answer(status=answer.status, body=answer.body, headers=headers)

    def _written(
        self, body: bytes, entry: Entry, fault: Fault | None, call: Callable[[Any, Entry, Fault | None], Answer]
    ) -> Answer:
        if len(body) > MAX_BYTES:
            return Answer(status=413, body={"message": "Request body too large"})
        try:
            order = orjson.loads(body)
        except orjson.JSONDecodeError:
            return _bad("Unable to parse request")
        if not isinstance(order, dict):
            return _bad("Unable to parse request")
        with self._store.database.transaction():
            return call(order, entry, fault)

    def _track(self, order: Element, entry: Entry, fault: Fault | None) -> Answer:
        arrays = {name: order.get(name) or [] for name in _ARRAYS}
        if not all(isinstance(array, list) for array in arrays.values()):
            return _bad("'attributes', 'events' and 'purchases' must be arrays")
        entry.records = sum(len(array) for array in arrays.values())
        if entry.records == 0:
            return _bad("Provide at least one of 'attributes', 'events' or 'purchases'")  # guess: its words
        if entry.records > MAX_OBJECTS:
            return _bad(f"A request may hold at most {MAX_OBJECTS} objects")
        errors = []
        place = 0
        for name, array in arrays.items():
            for index, element in enumerate(array):
                problem = _problem(name, element) or _ordered(fault, place, element)
                place += 1
                if problem:
                    errors.append({"type": problem, "input_array": name, "index": index})
                elif name == "attributes":
                    self._store.update(element)
                elif name == "events":
                    self._store.add_event(element, element["time"])
        entry.refused, entry.taken = len(errors), entry.records - len(errors)
        taken = {
            f"{name}_processed": len(array) - sum(error["input_array"] == name for error in errors)
            for name, array in arrays.items()
            if array
        }
        return Answer(status=201, body={"message": "success", **taken} | ({"errors": errors} if errors else {}))

    def _delete(self, order: Element, entry: Entry, fault: Fault | None) -> Answer:
        given = {kind: order[kind] for kind in ("external_ids", "user_aliases", "braze_ids") if order.get(kind)}
        if len(given) != 1:
            return _bad("Only one of 'external_ids', 'user_aliases' or 'braze_ids' can be included")
        ((kinds, values),) = given.items()
        if not isinstance(values, list) or len(values) > MAX_DELETIONS:
            return _bad(f"At most {MAX_DELETIONS} users can be deleted in a request")
        kind = {"external_ids": "external_id", "user_aliases": "user_alias", "braze_ids": "braze_id"}[kinds]
        entry.records = len(values)
        entry.taken = sum(self._store.delete(kind, value) for value in values)
        return Answer(status=200, body={"deleted": entry.taken, "message": "success"})


def _problem(array: str, element: Any) -> str:
    if not isinstance(element, dict):
        return "An object is required"
    problem = _identifier_problem(element)
    if problem or array == "attributes":
        return problem or _attribute_problem(element)
    if array == "purchases":
        return "'product_id' is required"  # nobody sends purchases to this sandbox
    if not isinstance(element.get("name"), str) or not element["name"]:
        return "'name' is required"
    properties = element.get("properties") or {}
    if not isinstance(properties, dict) or any(key.startswith("$") or len(key) > 255 for key in properties):
        return "'properties' is invalid"
    return "" if _is_time(element.get("time")) else "'time' is not a valid ISO 8601 date"


def _identifier_problem(element: Element) -> str:
    given = [kind for kind in IDENTIFIERS if element.get(kind)]
    if not given:
        return "'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required"
    alias = element.get("user_alias")
    if alias is not None and not (isinstance(alias, dict) and alias.get("alias_name") and alias.get("alias_label")):
        return "'user_alias' is invalid"
    key = element[given[0]]
    return "" if given[0] == "user_alias" or isinstance(key, str) else f"'{given[0]}' must be a string"


def _attribute_problem(element: Element) -> str:
    email = element.get("email")
    return "" if email is None or (isinstance(email, str) and "@" in email) else "'email' is not valid"


def _ordered(fault: Fault | None, place: int, element: Element) -> str:
    who = element.get("external_id") or element.get("email") or ""
    return "'external_id' is invalid" if fault is not None and fault.refuses(place, str(who)) else ""


def _is_time(text: Any) -> bool:
    if not isinstance(text, str):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _bad(message: str) -> Answer:
    return Answer(status=400, body={"message": message})

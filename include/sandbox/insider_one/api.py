"""Answer the platform's own endpoints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from include.sandbox.insider_one.attributes import STANDARD_NAMES, without
from include.sandbox.insider_one.credentials import PARTNER, TOKEN
from include.sandbox.insider_one.faults import BODIES
from include.sandbox.insider_one.identity import change_identifier, remove_identifier
from include.sandbox.insider_one.rules import MAX_BYTES, MAX_USERS, Errors, clearing_refusals, refusals
from include.sandbox.insider_one.store import Entry, Store, insider_id, now_utc
from include.sandbox.platform.answer import Answer
from include.sandbox.platform.endpoint import Endpoint
from include.sandbox.platform.faults import Fault, Faults
from include.sandbox.platform.rate import Window

UPSERT = "/api/user/v1/upsert"


class Platform:
    """Be the endpoints over a store."""

    def __init__(self, store: Store, *, requests_per_minute: int) -> None:
        self._store = store
        shared = _per_minute(requests_per_minute)
        self._calls: dict[tuple[str, str], tuple[Window, Callable[[Any, Entry, Fault | None], Answer]]] = {
            ("POST", UPSERT): (shared, self._upsert),
            ("POST", "/api/user/v1/attribute/delete"): (shared, self._delete_attributes),
            ("PATCH", "/api/user/v1/identity"): (_per_minute(2_000), self._change_identity),
            ("DELETE", "/api/user/v1/identity"): (_per_minute(1_000), self._delete_identity),
            ("POST", "/api/user/v1/profile"): (_per_minute(1_000), self._profile),
            ("POST", "/api/user/v1/delete"): (_per_minute(10_000), self._delete),
            ("POST", "/api/user/v3/metadata/columns"): (_per_minute(1_000), self._columns),
        }

    def endpoint(self, faults: Faults) -> Callable[[Request], Awaitable[Response]]:
        """Return what answers requests, or does with them what a fault orders, and writes them to the log."""
        endpoint = Endpoint(
            faults=faults,
            answer=self._answer,
            line=lambda method, path, size: Entry(method=method, path=path, bytes=size),
            log=lambda entry: self._store.log(entry, now_utc()),
            bodies=BODIES,
        )
        return endpoint.__call__

    def _answer(self, request: Request, body: bytes, entry: Entry, fault: Fault | None) -> Answer:
        rate, call = self._calls[request.method, entry.path]
        refused = _refused(request)
        if refused is not None:
            return refused
        if not rate.take():
            seconds = rate.retry_after()
            return Answer(
                status=429, body=BODIES[429], headers={} if seconds is None else {"Retry-After": str(seconds)}
            )
        if len(body) > MAX_BYTES:
            text = "request body is bigger than maximum allowed size 5,000,000 bytes"
            return Answer(status=400, body={"error": text})
        try:
            order = orjson.loads(body)
        except orjson.JSONDecodeError:
            return _bad("request body is not valid json")  # guess
        return call(order, entry, fault) if isinstance(order, dict) else _bad("request body is not an object")  # guess

    def _upsert(self, order: dict[str, Any], entry: Entry, fault: Fault | None) -> Answer:
        users = order.get("users")
        if not isinstance(users, list) or not users:
            return _bad("users must be defined")
        if len(users) > MAX_USERS:
            return _bad(f"users must have at most {MAX_USERS} elements")  # guess
        entry.users, entry.skip_hook = len(users), order.get("skip_hook") is True
        taken: list[dict[str, Any]] = []
        errors: Errors = {}
        for index, user in enumerate(users):
            found = _ordered(fault, index, user) or refusals(user, index)
            if found is None:
                taken.append(user)
            else:
                errors.update(found)  # nothing of this user is stored (guess)
        entry.successful, entry.failed = len(taken), len(users) - len(taken)
        if taken:
            self._store.upsert(taken, entry, now_utc())
        return Answer(body=_tally(len(taken), len(users) - len(taken), errors))

    def _delete_attributes(self, order: dict[str, Any], entry: Entry, fault: Fault | None) -> Answer:
        users = order.get("users")
        if not isinstance(users, list) or not users:
            return _bad("users must be defined")
        if len(users) > MAX_USERS:
            return _bad(f"users must have at most {MAX_USERS} elements")  # guess
        entry.users = len(users)
        errors: Errors = {}
        for index, user in enumerate(users):
            refused = _ordered(fault, index, user) or clearing_refusals(user, index)
            if refused is not None:
                errors.update(refused)
                entry.failed += 1
                continue
            found = self._store.find(user)
            if found is not None:
                number, profile = found
                self._store.replace(number, profile | {"attributes": without(profile["attributes"], user)})
        entry.successful = len(users) - entry.failed
        return Answer(body=_tally(entry.successful, entry.failed, errors))

    def _change_identity(self, order: dict[str, Any], entry: Entry, fault: Fault | None) -> Answer:
        problem = change_identifier(self._store, order.get("old_identifier"), order.get("new_identifier"))
        return Answer() if problem is None else _bad(problem)

    def _delete_identity(self, order: dict[str, Any], entry: Entry, fault: Fault | None) -> Answer:
        problem = remove_identifier(self._store, order.get("identifiers"))
        return Answer() if problem is None else _bad(problem)

    def _profile(self, order: dict[str, Any], entry: Entry, fault: Fault | None) -> Answer:
        found = self._store.find(order)
        if found is None:
            return _nobody()
        number, profile = found
        attributes = profile["attributes"]
        flat = {
            ("gdpr" if name == "gdpr_optin" else name): value for name, value in attributes.items() if name != "custom"
        }
        flat |= {f"c_{name}": value for name, value in attributes.get("custom", {}).items()}
        wanted = order.get("attributes") or []
        shown = flat if "*" in wanted else {name: flat[name] for name in wanted if name in flat}
        content: dict[str, Any] = {"insider_id": insider_id(number), "attributes": shown}  # shape is a guess
        if order.get("events"):
            content["events"] = self._store.events(1_000, 0, number)
        return Answer(body={"data": content})

    def _delete(self, order: dict[str, Any], entry: Entry, fault: Fault | None) -> Answer:
        found = self._store.find(order)
        if found is None:
            return _nobody()
        self._store.delete(found[0])
        return Answer()

    def _columns(self, order: dict[str, Any], entry: Entry, fault: Fault | None) -> Answer:
        names = [*STANDARD_NAMES, *(f"c_{name}" for name in self._store.custom_names())]
        return Answer(body=[{"key": name, "display_name": name.removeprefix("c_")} for name in names])


def _refused(request: Request) -> Answer | None:
    if request.headers.get("X-PARTNER-NAME") != PARTNER:
        return Answer(status=400, body={"success": False, "message": "Partner is invalid."})
    token = request.headers.get("X-REQUEST-TOKEN")
    if not token:
        return Answer(status=401, body={"success": False, "message": "Bad Api Key."})
    if token != TOKEN:
        return Answer(status=401, body={"success": False, "message": "Partner token authentication failed."})
    return None


def _ordered(fault: Fault | None, index: int, user: Any) -> Errors | None:
    if fault is None:
        return None
    identifiers = user.get("identifiers") if isinstance(user, dict) else None
    if not fault.refuses(index, repr(sorted(identifiers.items(), key=str)) if isinstance(identifiers, dict) else ""):
        return None
    return {f"users.{index}.identifiers.*.regexp(^.+@.+\\..+$)": ["not a valid email address: sample"]}


def _per_minute(requests: int) -> Window:
    return Window(requests, 60.0)


def _tally(taken: int, failed: int, errors: Errors) -> dict[str, Any]:
    successful = {"count": taken} if taken else {}
    fail = {"count": failed, "errors": errors} if failed else {}
    return {"data": {"successful": successful, "fail": fail}}


def _bad(text: str) -> Answer:
    return Answer(status=400, body={"error": f"{text}: bad request"})


def _nobody() -> Answer:
    return Answer(status=404, body={"error": "no such user for these identifiers: no data"})

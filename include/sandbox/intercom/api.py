"""Answer the platform's own endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request

from include.sandbox.intercom.credentials import TOKEN
from include.sandbox.intercom.errors import BODIES, Refused, invalid, refusal
from include.sandbox.intercom.rules import STANDARD, TYPES, checked_contact, checked_event
from include.sandbox.intercom.searching import search
from include.sandbox.intercom.store import Contact, Store
from include.sandbox.platform.answer import Answer
from include.sandbox.platform.database import Entry
from include.sandbox.platform.faults import Fault
from include.sandbox.platform.rate import Window

_VERSIONS = frozenset({f"1.{minor}" for minor in range(5)} | {f"2.{minor}" for minor in range(17)})
_MISSING = refusal(404, "not_found", "User Not Found")


class Workspace:
    """Be the endpoints over a store.

    Args:
        store: what is held.
        window: the limit of requests.
        search_delay_seconds: how long a new contact stays unknown to a search.
    """

    def __init__(self, store: Store, window: Window, *, search_delay_seconds: float = 0.0) -> None:
        self._store = store
        self._window = window
        self.search_delay_seconds = search_delay_seconds

    def answer(self, request: Request, body: bytes, entry: Entry, fault: Fault | None) -> Answer:
        """Answer one request; every answer tells what is left of the window."""
        allowed = self._window.take()
        answer = self._judged(request, body, entry, fault) if allowed else _throttled()
        headers = {
            "X-RateLimit-Limit": str(self._window.limit),
            "X-RateLimit-Remaining": str(self._window.remaining),
            "X-RateLimit-Reset": str(int(self._window.resets_at + 0.999)),
        }
        return Answer(status=answer.status, body=answer.body, headers={**headers, **answer.headers})

    def _judged(self, request: Request, body: bytes, entry: Entry, fault: Fault | None) -> Answer:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return refusal(401, "unauthorized", "Access Token Invalid")
        version = request.headers.get("Intercom-Version")
        if version is not None and version not in _VERSIONS:
            return refusal(400, "intercom_version_invalid", "The requested version does not exist")
        parts = [part for part in entry.path.split("/") if part]
        contact_id = request.path_params.get("contact_id", "")
        if contact_id:
            entry.path = entry.path.replace(contact_id, "{id}")
        elif "external_id" in request.path_params:
            entry.path = "/contacts/find_by_external_id/{id}"
        try:
            order = orjson.loads(body) if body else {}
            return self._called(request, parts, contact_id, order, fault)
        except orjson.JSONDecodeError:
            return refusal(400, "bad_request", "the body is not valid JSON")
        except Refused as refused:
            return refused.answer

    def _called(self, request: Request, parts: list[str], contact_id: str, order: Any, fault: Fault | None) -> Answer:
        method = request.method
        if contact_id:
            return self._of_contact(method, contact_id, parts[-1] if len(parts) > 2 else "", order, fault)
        calls: dict[tuple[str, str], Callable[[], Answer]] = {
            ("POST", "contacts"): lambda: self._create(order, fault),
            ("POST", "search"): lambda: Answer(
                body=search(self._store, order, delay_seconds=self.search_delay_seconds)
            ),
            ("POST", "merge"): lambda: self._merge(order),
            ("POST", "events"): lambda: self._event(order),
            ("GET", "events"): lambda: self._events(request),
            ("GET", "data_attributes"): self._attributes,
            ("POST", "data_attributes"): lambda: self._define(order),
            ("GET", "me"): lambda: Answer(body={"type": "admin", "id": "1", "email": "admin@example.com", "app": {}}),
        }
        if "external_id" in request.path_params:
            return self._shown(self._store.by_external_id(request.path_params["external_id"]))
        return calls[method, parts[-1]]()

    def _of_contact(self, method: str, contact_id: str, verb: str, order: Any, fault: Fault | None) -> Answer:
        held = self._store.get(contact_id)
        if held is None:
            return _MISSING
        contact, archived, merged_into = held
        if merged_into:
            return _merged(merged_into)
        if method == "GET":
            return Answer(body=contact | {"archived": archived})
        if method == "DELETE":
            self._store.delete(contact_id)
            return _reference(contact, deleted=True)
        if verb in ("archive", "unarchive"):
            self._store.archive(contact_id, archived=verb == "archive")
            return _reference(contact, archived=verb == "archive")
        if archived:
            return _MISSING  # guess: the platform says nowhere what a change of an archived contact does
        return self._change(contact, order, fault)

    def _create(self, order: Any, fault: Fault | None) -> Answer:
        sent = checked_contact(order, self._store.types, creating=True)
        _refuse_if_ordered(fault, sent)
        _refuse_twins(self._store.twins(sent))
        return Answer(body=self._store.create(sent))

    def _change(self, contact: Contact, order: Any, fault: Fault | None) -> Answer:
        sent = checked_contact(order, self._store.types, creating=False)
        _refuse_if_ordered(fault, contact | sent)
        if {"email", "external_id"} & set(sent):
            keys = {name: sent.get(name) for name in ("email", "external_id")} | {"role": contact["role"]}
            _refuse_twins(self._store.twins(keys, but=contact["id"]))
        return Answer(body=self._store.change(contact, sent))

    def _shown(self, contact_id: str) -> Answer:
        held = self._store.get(contact_id)
        if held is None or held[1]:
            return _MISSING
        return _merged(held[2]) if held[2] else Answer(body=held[0])

    def _merge(self, order: Any) -> Answer:
        gone, into = (self._store.get(str(order.get(name) or "")) for name in ("from", "into"))
        if gone is None or into is None:
            return _MISSING
        if gone[0]["role"] != "lead" and into[0]["role"] != "user":
            return refusal(400, "invalid_merge", "only a lead can be merged, into a user")
        self._store.merge(gone[0]["id"], into[0]["id"])
        return Answer(body=into[0])

    def _event(self, order: Any) -> Answer:
        sent = checked_event(order)
        contact_id = self._contact_of_event(sent)
        held = self._store.get(contact_id)
        if held is None or held[1] or held[2]:
            return _MISSING
        self._store.add_event(contact_id, sent)
        return Answer(status=202, body=None)

    def _contact_of_event(self, sent: dict[str, Any]) -> str:
        if sent.get("id"):
            return str(sent["id"])
        if sent.get("user_id"):
            return self._store.by_external_id(str(sent["user_id"]))
        if not sent.get("email"):
            raise Refused(400, "parameter_not_found", "one of id, user_id and email is required")
        found = self._store.twins({"email": sent["email"]})
        return found[0][0] if found else ""

    def _events(self, request: Request) -> Answer:
        contact_id = request.query_params.get("intercom_user_id", "")
        if request.query_params.get("type") != "user" or not contact_id:
            raise invalid("type=user and intercom_user_id are required")
        events = self._store.events(50, 0, contact_id)
        return Answer(body={"type": "event.list", "events": events, "pages": {}})

    def _attributes(self) -> Answer:
        given = [_attribute(name, kind, custom=False) for name, (kind, _) in STANDARD.items()]
        own = [_attribute(name, kind, custom=True) for name, kind in self._store.types.items()]
        return Answer(body={"type": "list", "data": given + own})

    def _define(self, order: Any) -> Answer:
        name, kind = order.get("name"), order.get("data_type")
        if order.get("model") != "contact" or not isinstance(name, str) or not name or kind not in TYPES:
            raise invalid("name, model (contact) and data_type are required")
        if not self._store.define(name, kind):
            raise invalid(f"You already have '{name}' in your people data")
        return Answer(body=_attribute(name, kind, custom=True))


def _refuse_if_ordered(fault: Fault | None, contact: Contact) -> None:
    who = str(contact.get("external_id") or contact.get("email") or "")
    if fault is not None and fault.refuses(0, who):
        raise invalid("email is invalid", "email")


def _refuse_twins(twins: list[tuple[str, bool]]) -> None:
    if len(twins) > 1:
        ids = ", ".join(f"id={contact_id}" for contact_id, _ in twins)
        raise Refused(409, "conflict", f"Multiple contacts matching those details already exist with {ids}")
    for contact_id, archived in twins:
        kind = "An archived contact" if archived else "A contact"
        raise Refused(409, "conflict", f"{kind} matching those details already exists with id={contact_id}")


def _reference(contact: Contact, **said: bool) -> Answer:
    return Answer(body={"type": "contact", "id": contact["id"], "external_id": contact["external_id"], **said})


def _merged(into: str) -> Answer:
    text = "This contact has been merged. See the 'Link' header for the canonical contact."
    return refusal(410, "contact_merged", text, headers={"Link": f'</contacts/{into}>; rel="canonical"'})


def _throttled() -> Answer:
    return Answer(status=429, body=BODIES[429])


def _attribute(name: str, kind: str, *, custom: bool) -> dict[str, Any]:
    return {
        "type": "data_attribute", "model": "contact", "name": name, "full_name": name, "label": name,
        "data_type": "date" if kind == "datetime" else kind, "custom": custom, "archived": False, "api_writable": True,
    }  # fmt: skip

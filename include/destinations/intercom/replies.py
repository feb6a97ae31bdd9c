"""What an answer of Intercom means, and whose contact a search found. Pure.

Its texts may repeat a refused value, so that we never show them: each known code has words of ours.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson

from include.destinations.intercom import rules
from include.destinations.line import Allowance
from include.destinations.protocol import Reply
from include.records import Profile

_ID = re.compile(r"\bid=([A-Za-z0-9-]{1,64})")
_CANONICAL = re.compile(r"/contacts/([A-Za-z0-9-]{1,64})[^>]*>\s*;\s*rel=\"?canonical")
_QUOTED = re.compile(r"['\"`]([\w .-]{1,60})['\"`]")
_SEVERAL = re.compile(r"\b(multiple|several)\b", re.IGNORECASE)
_REFUSALS = {
    "parameter_invalid": "the platform refuses a value or does not know an attribute",
    "parameter_not_found": "the platform misses a value",
    "type_mismatch": "a value is of another type than its attribute at the platform",
    "data_invalid": "the platform takes a value for not valid",
    "unique_user_constraint": "another contact has these identifiers already",
}


class Meaning(StrEnum):
    """Say what an answer means for what was asked."""

    TAKEN = "taken"
    REFUSED = "refused"  # the record: unchanged it would be refused again
    MISSING = "missing"  # there is no such contact
    TAKEN_BY_OTHER = "taken_by_other"  # a contact with these identifiers is there; `contact_id` says which
    MERGED = "merged"  # it went into another; `contact_id` says which
    FAULT = "fault"  # the platform's own
    STOP = "stop"  # the connection is refused
    STRANGER = "stranger"  # something else than the platform answers


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Hold what an answer means, with a cause and words that hold nothing of a person."""

    meaning: Meaning
    cause: str = ""
    message: str = ""
    contact_id: str = ""
    archived: bool = False


def judge(reply: Reply, names: Collection[str] = ()) -> Finding:
    """Say what an answer means; `names` are those of attributes, which a message may repeat."""
    status, content = reply.status, _json(reply.body)
    error = _error(content)
    if status in (200, 202) and (isinstance(content, dict) or not reply.body.strip()):
        return Finding(meaning=Meaning.TAKEN, contact_id=_id_of(content))
    if status in (401, 403) or error.get("code") == "intercom_version_invalid":
        return Finding(meaning=Meaning.STOP, cause="credentials_refused", message="the platform refused the token")
    if status == 408 or status >= 500 or (status == 200 and reply.body):
        message = f"the platform reported a fault of its own (HTTP {status})"
        return Finding(meaning=Meaning.FAULT, cause="server_fault", message=message)
    if not error:
        message = f"something else answers there (HTTP {status})"
        return Finding(meaning=Meaning.STRANGER, cause="misdirected", message=message)
    return _refusal(reply, error, names)


def found_contacts(reply: Reply) -> list[Mapping[str, Any]] | None:
    """Return the contacts of a search's answer; None if it is no such answer."""
    content = _json(reply.body)
    held = content.get("data") if isinstance(content, dict) else None
    return [each for each in held if isinstance(each, dict)] if isinstance(held, list) else None


def contact_of(reply: Reply) -> Mapping[str, Any]:
    """Return the contact that an answer holds, or nothing."""
    content = _json(reply.body)
    return content if isinstance(content, dict) else {}


def types_of(reply: Reply) -> dict[str, str]:
    """Return the types of the custom attributes of contacts, by name."""
    content = _json(reply.body)
    held = content.get("data") if isinstance(content, dict) else None
    return {
        str(each["name"]): str(each.get("data_type") or "")
        for each in (held if isinstance(held, list) else [])
        if isinstance(each, dict) and each.get("custom") and each.get("name")
    }


def matching(record: Profile, contacts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | Finding | None:
    """Return the contact of a record among those found, None if there is none, or why a person must decide.

    The platform's own id says it all; then the external id, then the e-mail address. A record whose identifiers
    changed is looked for by both; if that leads to two contacts, they are not ours to merge.
    """
    own = [("id", record.platform_id)] if record.platform_id else []
    now = _first(own + _named_by(record.identifiers), record, contacts)
    before = _first(_named_by(record.former_identifiers), record, contacts)
    if isinstance(now, Finding) or before is None:
        return now
    if now is None or isinstance(before, Finding) or now.get("id") == before.get("id"):
        return now or before
    message = "the record's identifiers changed, and another contact has the new ones; merge the two at the platform"
    return Finding(meaning=Meaning.REFUSED, cause="identity_conflict", message=message)


def is_somebody_else(record: Profile, contact: Mapping[str, Any]) -> bool:
    """Say whether another system's id on a contact tells that it is not this record's."""
    mine = {record.identifiers.get("uuid"), record.former_identifiers.get("uuid")} - {None}
    theirs = contact.get("external_id")
    return bool(mine and theirs and theirs not in mine)


def somebody_else() -> Finding:
    """Return what is said then."""
    message = "the contact with this address has another external_id; a person must decide whose it is"
    return Finding(meaning=Meaning.REFUSED, cause="identity_conflict", message=message)


def allowance(headers: Mapping[str, str], now: datetime) -> Allowance | None:
    """Read what the platform says of its window: ``X-RateLimit-*``, with the reset in unix seconds."""
    texts = [headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "reset")]
    if not all(re.fullmatch(r"\d{1,12}", text) for text in texts[1:]):
        return None
    limit = int(texts[0]) if texts[0].isdecimal() else None
    wait = max(0.0, int(texts[2]) - now.timestamp())
    return Allowance(remaining=int(texts[1]), resets_in_seconds=wait, limit=limit)


def _refusal(reply: Reply, error: Mapping[str, Any], names: Collection[str]) -> Finding:
    code, text = str(error.get("code") or ""), str(error.get("message") or "")
    if reply.status == 410:
        link = _CANONICAL.search(reply.headers.get("link", ""))
        message = "the contact was merged into another one"
        return Finding(meaning=Meaning.MERGED, cause="merged", message=message, contact_id=link[1] if link else "")
    if reply.status == 404:
        message = "the platform has no such contact any more"
        return Finding(meaning=Meaning.MISSING, cause="not_at_platform", message=message)
    if reply.status == 409:
        return _conflict(text)
    known = _REFUSALS.get(code, f"the platform refused the record (HTTP {reply.status})")
    return Finding(meaning=Meaning.REFUSED, cause=_word(code), message=known + _named(error, text, names))


def _conflict(text: str) -> Finding:
    ids = _ID.findall(text)
    if len(set(ids)) != 1 or _SEVERAL.search(text):
        message = "several contacts of the platform match the record; merge them there"
        return Finding(meaning=Meaning.REFUSED, cause="several_matches", message=message)
    message = "another contact of the platform has these identifiers"
    archived = "archived" in text.casefold()
    return Finding(
        meaning=Meaning.TAKEN_BY_OTHER, cause="identifier_taken", message=message, contact_id=ids[0], archived=archived
    )


def _named(error: Mapping[str, Any], text: str, names: Collection[str]) -> str:
    """Return which attribute it was, if the answer names one that was sent."""
    field = error.get("field")
    if isinstance(field, str) and field in names:
        return f": {field}"
    found = next((name for name in _QUOTED.findall(text) if name in names), "")
    return f": {found}" if found else ""


def _word(code: str) -> str:
    return code if re.fullmatch(r"[a-z_]{1,40}", code) else "refused_by_platform"


def _named_by(identifiers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(field, identifiers[kind]) for kind, field in rules.IDENTIFIERS.items() if kind in identifiers]


def _first(
    named: Sequence[tuple[str, str]], record: Profile, contacts: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | Finding | None:
    for field, value in named:
        hits = [each for each in contacts if _says(each.get(field), value, field)]
        if len(hits) > 1:
            message = f"several contacts have the same {field}; merge them at the platform"
            return Finding(meaning=Meaning.REFUSED, cause="several_matches", message=message)
        if hits:
            exact = field in ("id", "external_id")
            return somebody_else() if not exact and is_somebody_else(record, hits[0]) else hits[0]
    return None


def _says(held: Any, value: str, field: str) -> bool:
    if field == "email":
        return isinstance(held, str) and held.casefold() == value.casefold()
    return bool(held == value)


def _id_of(content: Any) -> str:
    found = content.get("id") if isinstance(content, dict) else None
    return found if isinstance(found, str) else ""


def _error(content: Any) -> Mapping[str, Any]:
    errors = content.get("errors") if isinstance(content, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    return first if isinstance(first, dict) else {}


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None

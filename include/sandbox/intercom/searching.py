"""Find contacts by filters, with the platform's limits on how many and how deep."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from include.sandbox.intercom.errors import invalid
from include.sandbox.intercom.rules import STANDARD
from include.sandbox.intercom.store import Contact, Store

_DEEPEST = 2
_MOST_FILTERS = 15
_LONGEST_PAGE = 150
_INDEXED = ("id", "external_id", "email", "phone")
_FIELDS = frozenset({*STANDARD, "id", "created_at", "updated_at"})
_DATES = frozenset({"created_at", "updated_at", "signed_up_at", "last_seen_at"})


def search(store: Store, order: Any, *, delay_seconds: float) -> dict[str, Any]:
    """Return a page of the contacts that a query finds.

    Raises:
        Refused: the query is none that the platform takes.
    """
    if not isinstance(order, dict) or not isinstance(order.get("query"), dict):
        raise invalid("query must be an object", "query")
    paging = order.get("pagination") or {}
    size = paging.get("per_page", 50)
    if not isinstance(size, int) or not 1 <= size <= _LONGEST_PAGE:
        raise invalid(f"per_page must be from 1 to {_LONGEST_PAGE}", "pagination")
    after = str(paging.get("starting_after") or "0")
    if not after.isdecimal():
        raise invalid("starting_after is no cursor of ours", "pagination")
    found = _matching(store, order["query"], 1, time.time() - delay_seconds)
    rows = store.ordered(found, after=int(after), limit=size + 1)
    page = rows[:size]
    following = {"per_page": size, "starting_after": str(page[-1][0])} if len(rows) > size else None
    return {
        "type": "list",
        "data": [contact for _, contact in page],
        "total_count": len(found),
        "pages": {"type": "pages", "per_page": size} | ({"next": following} if following else {}),
    }


def _matching(store: Store, query: dict[str, Any], depth: int, before: float) -> set[str]:
    operator, value = query.get("operator"), query.get("value")
    if operator not in ("AND", "OR"):
        return _by_field(store, query, before)
    if depth > _DEEPEST:
        raise invalid(f"a query may hold at most {_DEEPEST} nested filters", "query")
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_FILTERS:
        raise invalid(f"a group holds from 1 to {_MOST_FILTERS} filters", "query")
    sets = [_matching(store, each if isinstance(each, dict) else {}, depth + 1, before) for each in value]
    return set.intersection(*sets) if operator == "AND" else set.union(*sets)


def _by_field(store: Store, one: dict[str, Any], before: float) -> set[str]:
    field, operator, value = one.get("field"), one.get("operator"), one.get("value")
    custom = isinstance(field, str) and field.startswith("custom_attributes.") and field[18:] in store.types
    if not custom and field not in _FIELDS:
        raise invalid(f"'{field}' is no searchable field", "query")
    if field in _DATES and operator not in ("=", "<", ">"):
        raise invalid(f"{operator} is not supported for dates", "query")
    if field in _INDEXED and operator in ("=", "IN"):
        values = value if operator == "IN" else [value]
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            raise invalid(f"the value of {field} must be text", "query")
        return store.ids_with(str(field), values, before=before)
    compare = _COMPARISONS.get(str(operator))
    if compare is None:
        raise invalid(f"'{operator}' is no operator", "query")
    return {each["id"] for each in store.visible(before=before) if compare(_value(each, str(field)), value)}


def _value(contact: Contact, field: str) -> Any:
    if field.startswith("custom_attributes."):
        return contact["custom_attributes"].get(field[18:])
    return contact.get(field)


def _both(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda held, asked: type(held) is type(asked) and held is not None and test(held, asked)


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda held, asked: bool(held == asked),
    "!=": lambda held, asked: bool(held != asked),
    "IN": lambda held, asked: held in asked,
    "NIN": lambda held, asked: held not in asked,
    "<": _both(lambda held, asked: bool(held < asked)),
    "<=": _both(lambda held, asked: bool(held <= asked)),
    ">": _both(lambda held, asked: bool(held > asked)),
    ">=": _both(lambda held, asked: bool(held >= asked)),
    "~": _both(lambda held, asked: asked in held),
    "!~": _both(lambda held, asked: asked not in held),
    "^": _both(lambda held, asked: held.startswith(asked)),
    "$": _both(lambda held, asked: held.endswith(asked)),
}

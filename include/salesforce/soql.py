"""Write SOQL: the one place where a value or a name gets into a query; pure.

Escapes: SOQL and SOSL reference, "Quoted String Escape Sequences". Times are whole seconds, as the org keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from include.records import Window

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*){0,5}")
_ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
)

Scalar = str | bool | int | float | Decimal | datetime | date | None


def quoted(value: Scalar) -> str:
    """Return `value` as a SOQL literal.

    Raises:
        ValueError: a time without a zone or with a fraction of a second, or a number that is none.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, str):
        return f"'{value.translate(_ESCAPES)}'"
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return value.isoformat()
    return _number(value)


def quoted_list(values: Iterable[Scalar]) -> str:
    """Return the values as a SOQL list for IN, NOT IN, INCLUDES and EXCLUDES.

    Raises:
        ValueError: there is no value; the org refuses an empty list.
    """
    literals = [quoted(value) for value in values]
    if not literals:
        raise ValueError("SOQL knows no empty list; do not ask the org for nothing")
    return f"({','.join(literals)})"


def name(text: str) -> str:
    """Return an API name or path such as ``Account.Name``, unchanged.

    Raises:
        ValueError: it is no API name, so it could change the meaning of the query.
    """
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not the API name of an object or field")
    return text


def in_window(cursor_field: str, window: Window) -> list[str]:
    """Return the conditions that hold in a window; none for an object without a stamp."""
    if not cursor_field:
        return []
    low = [] if window.low is None else [condition(cursor_field, ">=", window.low)]
    return [*low, condition(cursor_field, "<", window.high)]


def select_all(object: str, fields: Sequence[str], *, where: Sequence[str] = ()) -> str:
    """Return the query for these fields of every record, or of those that meet all the conditions of `where`.

    Raises:
        ValueError: no field was named.
    """
    if not fields:
        raise ValueError(f"name at least one field of {object} to read")
    query = f"SELECT {','.join(name(field) for field in fields)} FROM {name(object)}"
    return f"{query} WHERE {' AND '.join(where)}" if where else query


def select_edge(object: str, field: str, *, where: Sequence[str] = (), last: bool = False) -> str:
    """Return the query for the record that comes first, or last, by an indexed field."""
    return f"{select_all(object, [field], where=where)} ORDER BY {name(field)}{' DESC' if last else ''} LIMIT 1"


def count_where(object: str, where: Sequence[str] = ()) -> str:
    """Return the query that counts the records that meet all the conditions."""
    query = f"SELECT COUNT() FROM {name(object)}"
    return f"{query} WHERE {' AND '.join(where)}" if where else query


def only_key(query: str, key: str) -> str:
    """Return the query with nothing but the key selected: it finds the same records, in a shorter text."""
    return f"SELECT {name(key)} FROM {query.split(' FROM ', 1)[1]}"


def select_ids(object: str, fields: Sequence[str], record_ids: Sequence[str]) -> str:
    """Return the query for the records of these Ids.

    Raises:
        ValueError: no field or no Id was named.
    """
    return f"{select_all(object, fields)} WHERE Id IN {quoted_list(record_ids)}"


def all_of(conditions: Sequence[str]) -> str:
    """Return the conditions joined by AND."""
    return " AND ".join(conditions)


def any_of(conditions: Sequence[str]) -> str:
    """Return the conditions joined by OR, in brackets: SOQL takes no mixture of AND and OR without them."""
    return f"({' OR '.join(conditions)})" if len(conditions) > 1 else conditions[0]


def member(field: str, operator: str, values: Sequence[Scalar]) -> str:
    """Return a comparison with a list, e.g. ``Region__c IN ('EMEA','APAC')``.

    Raises:
        ValueError: the operator takes no list, or the list is empty.
    """
    if operator not in {"IN", "NOT IN", "INCLUDES", "EXCLUDES"}:
        raise ValueError(f"{operator!r} does not compare with a list")
    return f"{name(field)} {operator} {quoted_list(values)}"


def condition(field: str, operator: str, value: Scalar) -> str:
    """Return one comparison, e.g. ``Id >= '003…'``.

    Raises:
        ValueError: the operator is not one of SOQL's comparisons.
    """
    if operator not in {"=", "!=", "<", "<=", ">", ">=", "LIKE"}:
        raise ValueError(f"{operator!r} is not a comparison of SOQL")
    return f"{name(field)} {operator} {quoted(value)}"


def count_before(object: str, created_before: datetime, *, where: Sequence[str] = ()) -> str:
    """Return the query that counts the records created before a time, of those that meet the conditions of `where`."""
    return count_where(object, [condition("CreatedDate", "<", created_before), *where])


def _moment(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("a time without a zone could mean any hour; give it in UTC")
    if value.microsecond:
        raise ValueError("the org keeps whole seconds; round the time before asking for it")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _number(value: int | float | Decimal) -> str:
    if isinstance(value, int):
        return str(value)
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not exact.is_finite():
        raise ValueError(f"{value} is not a number that SOQL can compare with")
    return format(exact, "f")

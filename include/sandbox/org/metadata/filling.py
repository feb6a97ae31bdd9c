"""Sample values for fields that come out of nothing: repeatable, and a seventh of them empty."""

from __future__ import annotations

from include.sandbox.org.schema.field import Field

_KINDS = (
    "string", "double", "date", "picklist", "boolean", "currency", "email", "datetime", "percent", "phone", "url",
    "textarea", "multipicklist",
)  # fmt: skip
CHOICES = ("Red", "Green", "Blue", "Black")


def wide_orders(count: int, first: int) -> list[dict[str, object]]:
    """Return the orders for so many fields of all types in turn."""
    return [
        {"name": f"W{number:03d}__c", "label": f"Wide {number:03d}", "type": _KINDS[number % len(_KINDS)],
         "values": CHOICES, "length": 80}
        for number in range(first, first + count)
    ]  # fmt: skip


def sample_sql(each: Field, place: int) -> str:
    """Return the expression of a sample value over the record's number."""
    turn = f"(_n + {place})"
    if each.type == "boolean":
        return f"({turn} % 3 = 0)"
    return f"CASE WHEN {turn} % 7 <> 0 THEN {_value(each, turn)} END"


def _value(each: Field, turn: str) -> str:
    choices = "[" + ", ".join(quoted(value) for value in each.picklist or CHOICES) + "]"
    size = len(each.picklist or CHOICES)
    choice = f"{choices}[1 + {turn} % {size}]"
    values = {
        "picklist": choice,
        "multipicklist": f"{choices}[1] || CASE WHEN {turn} % 2 = 0 THEN ';' || {choices}[{size}] ELSE '' END",
        "date": f"DATE '2025-01-01' + ({turn} % 365)::INTEGER",
        "datetime": f"TIMESTAMP '2025-01-01 08:00:00' + to_minutes({turn} % 500_000)",
        "email": f"'sample' || ({turn} % 1000) || '@example.com'",
        "phone": f"'+1 555 0' || (100 + {turn} % 900)",
        "url": f"'https://www.example.com/' || ({turn} % 1000)",
        "reference": "NULL",
    }
    if each.sql_type == "DOUBLE":
        return f"round(({turn} % 1000) * 0.25, {each.scale})::DOUBLE"
    return values.get(each.type, f"'Value ' || ({turn} % 100)")


def rebuilt_sql(
    table: str, *, added: dict[str, str] | None = None, replaced: dict[str, str] | None = None, dropped: list[str]
) -> tuple[str, ...]:
    """Return the statements that write a table anew in one pass: columns by name to expressions, and those that go."""
    without = f" EXCLUDE ({', '.join(_named(name) for name in dropped)})" if dropped else ""
    instead = ", ".join(f"{sql} AS {_named(name)}" for name, sql in (replaced or {}).items())
    more = "".join(f", {sql} AS {_named(name)}" for name, sql in (added or {}).items())
    chosen = f"*{without}{f' REPLACE ({instead})' if instead else ''}{more}"
    return (
        f'CREATE TABLE "{table}~" AS SELECT {chosen} FROM "{table}"',
        f'DROP TABLE "{table}"',
        f'ALTER TABLE "{table}~" RENAME TO "{table}"',
    )


def _named(name: str) -> str:
    return f'"{name}"'


def quoted(text: str) -> str:
    """Return a text as SQL."""
    return "'" + text.replace("'", "''") + "'"

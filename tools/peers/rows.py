"""Rows as clients left them, brought to one form, so that they can be compared with each other and with the org."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

# Few fields, but one of every kind that travels differently; texts hold newlines, quotes, emoji, "null" and "NA".
OBJECTS: Mapping[str, Mapping[str, str]] = {
    "Account": {
        "Id": "text", "Name": "text", "Website": "text", "BillingStreet": "text", "NumberOfEmployees": "number",
        "SystemModstamp": "moment",
    },
    "Contact": {
        "Id": "text", "FirstName": "text", "LastName": "text", "Email": "text", "Phone": "text",
        "MailingStreet": "text", "Description": "text", "HasOptedOutOfEmail": "flag", "AccountId": "text",
        "SystemModstamp": "moment",
    },
    "Lead": {
        "Id": "text", "LastName": "text", "Company": "text", "Email": "text", "IsConverted": "flag",
        "SystemModstamp": "moment",
    },
    "Opportunity": {
        "Id": "text", "Name": "text", "Amount": "number", "CloseDate": "date", "IsWon": "flag",
        "SystemModstamp": "moment",
    },
    "Task": {
        "Id": "text", "Subject": "text", "WhoId": "text", "ActivityDate": "date", "Description": "text",
        "SystemModstamp": "moment",
    },
}  # fmt: skip


def read_rows(folder: Path, name: str) -> list[Row]:
    """Return what a client left of an object."""
    try:
        with (folder / f"{name}.jsonl").open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    except FileNotFoundError:
        return []


def digest(rows: Sequence[Row], name: str) -> str:
    """Return a short text that is the same for the same records with the same values, in any order."""
    lines = sorted(canonical(row, name) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:8]


def canonical(row: Row, name: str) -> str:
    """Return a row as one text, whatever the client made of its values."""
    return json.dumps([_KINDS[kind](row.get(field)) for field, kind in OBJECTS[name].items()])


def first_difference(rows: Sequence[Row], truth: Sequence[Row], name: str) -> str:
    """Return the first field that a client saw otherwise than it is, or which records it missed or saw twice."""
    seen = {str(row["Id"]): row for row in rows}
    there = {str(row["Id"]): row for row in truth}
    if missed := there.keys() - seen.keys():
        return f"{len(missed)} missing, such as {min(missed)}"
    if strange := seen.keys() - there.keys():
        return f"{len(strange)} too many, such as {min(strange)}"
    if len(rows) != len(seen):
        return f"{len(rows) - len(seen)} read twice"
    for key in sorted(there):
        for field, kind in OBJECTS[name].items():
            told, true = (_KINDS[kind](each[key].get(field)) for each in (seen, there))
            if told != true:
                return f"{field} of {key} is {told!r} and not {true!r}"
    return ""


def _text(value: Any) -> str:
    # A client that reads CSV as text makes one newline of two.
    return "" if value is None else str(value).replace("\r\n", "\n")


def _number(value: Any) -> str:
    return "" if value in (None, "") else repr(float(value))


def _flag(value: Any) -> str:
    return "" if value in (None, "") else str(value).lower()


def _date(value: Any) -> str:
    if isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, tz=UTC).date().isoformat()
    return "" if value in (None, "") else str(value)[:10]


def _moment(value: Any) -> str:
    if isinstance(value, int):
        return datetime.fromtimestamp(value / 1000, tz=UTC).isoformat(timespec="seconds")
    return "" if value in (None, "") else datetime.fromisoformat(str(value)).astimezone(UTC).isoformat("T", "seconds")


_KINDS: Mapping[str, Callable[[Any], str]] = {
    "text": _text, "number": _number, "flag": _flag, "date": _date, "moment": _moment,
}  # fmt: skip

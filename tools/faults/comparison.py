"""Compare the warehouse with the org value by value, by a reader that shares nothing with the extract."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Protocol

import psycopg
from psycopg import sql

_VERSION = "/services/data/v63.0"
_NOT_STORED = frozenset({"address", "location", "base64", "complexvalue"})


@dataclass(slots=True)
class Compared:
    """Hold what one object's comparison found; records by Id, with the first field that differs."""

    object: str
    records: int = 0
    deleted: int = 0
    fields: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    @property
    def values(self) -> int:
        """Return how many values were compared."""
        return self.records * self.fields


class Reader(Protocol):
    """Read an org independently of the extract."""

    def fields(self, name: str) -> dict[str, str]:
        """Return the fields of an object with their types."""
        ...

    def records(self, name: str, fields: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """Return all records by Id."""
        ...


class PlainReader:
    """Read the org by REST with urllib."""

    def __init__(self, url: str, signed: Mapping[str, str]) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": signed["client_id"],
            "client_secret": signed["client_secret"],
        }
        with urllib.request.urlopen(f"{url}/services/oauth2/token", urllib.parse.urlencode(form).encode()) as answer:
            token = json.load(answer)["access_token"]
        self._url, self._headers = url, {"Authorization": f"Bearer {token}"}

    def fields(self, name: str) -> dict[str, str]:
        """Return the fields that have a value of their own, with their types."""
        described = self._get(f"{_VERSION}/sobjects/{name}/describe")
        return {each["name"]: each["type"] for each in described["fields"] if each["type"] not in _NOT_STORED}

    def records(self, name: str, fields: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        """Return all records, deleted ones too, by Id."""
        soql = f"SELECT {','.join(fields)} FROM {name}"
        answer = self._get(f"{_VERSION}/queryAll?{urllib.parse.urlencode({'q': soql})}")
        found = {each["Id"]: each for each in answer["records"]}
        while not answer["done"]:
            answer = self._get(answer["nextRecordsUrl"])
            found |= {each["Id"]: each for each in answer["records"]}
        if len(found) != answer["totalSize"]:
            raise RuntimeError(f"the org sent {len(found)} of {answer['totalSize']} records of {name}")
        return found

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(
            urllib.request.Request(self._url + path, headers=self._headers), timeout=120
        ) as answer:
            return json.loads(answer.read(), parse_float=Decimal)


def compare(reader: Reader, warehouse: str, schema: str, name: str) -> Compared:
    """Compare every record and every field of an object."""
    fields = reader.fields(name)
    there = reader.records(name, fields)
    found = Compared(object=name, records=len(there), fields=len(fields))
    found.deleted = sum(bool(each.get("IsDeleted")) for each in there.values())
    rows = _rows(warehouse, schema, name)
    here = {row["Id"]: row for row in rows}
    if len(here) != len(rows):
        found.doubled.append(f"{len(rows) - len(here)} Ids twice")
    found.doubled += [f"{key} is unknown to the org" for key in sorted(here.keys() - there.keys())]
    for key, record in there.items():
        difference = _difference(record, here.get(key), fields)
        if difference:
            found.lost.append(f"{key}: {difference}")
    return found


def _rows(warehouse: str, schema: str, name: str) -> list[dict[str, Any]]:
    with psycopg.connect(warehouse, row_factory=psycopg.rows.dict_row) as connection:
        connection.execute("SET timezone = 'UTC'")
        query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, name))
        try:
            return connection.execute(query).fetchall()
        except psycopg.errors.UndefinedTable:
            return []


def _difference(record: Mapping[str, Any], row: Mapping[str, Any] | None, fields: Mapping[str, str]) -> str:
    """Name the first thing in which a row is not what the org has."""
    if row is None:
        return f"is missing (stamp {record.get('SystemModstamp')})"
    for name, kind in fields.items():
        if name not in row:
            return f"has no column {name}"
        expected = _value(record.get(name), kind)
        if expected != row[name]:
            stamps = f"stamp {row.get('SystemModstamp')} here, {record.get('SystemModstamp')} in the org"
            return f"{name} is {row[name]!r} here and {expected!r} in the org ({stamps})"
    if (row["_deleted_at"] is not None) != bool(record.get("IsDeleted")):
        return "is deleted on one side only"
    return ""


def _value(value: Any, kind: str) -> Any:
    if value is None or value == "":
        return None
    if kind in _READERS:
        return _READERS[kind](value)
    return value.replace("\0", "") if isinstance(value, str) else value


def _number(value: Any) -> Decimal:
    return Decimal(str(value))


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "double": _number,
    "currency": _number,
    "percent": _number,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "time": lambda value: time.fromisoformat(value.removesuffix("Z")),
}

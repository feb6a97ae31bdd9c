"""Rows on their way into a table: one view over arrays of text that the engine reads and casts by itself.

Measured on 10,000 rows of 14 columns: 0.06 s this way, 0.12 s as JSON, 0.28 s as bound lists, 8 s row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import numpy as np

from include.sandbox.org.schema.field import SObject

VIEW = "sandbox_stage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Say which fields the staged rows set, and which of these only some rows set."""

    target: SObject
    names: tuple[str, ...]
    partial: frozenset[str]
    low: int
    high: int
    count: int

    def value(self, name: str) -> str:
        """Return the SQL of a staged value, `s` being the stage."""
        kind = self.target.by_name[name.lower()].sql_type
        return f's."{name}"' if kind == "VARCHAR" else f's."{name}"::{kind}'

    def after(self, name: str) -> str:
        """Return the SQL of a field's value after the change, `t` being the row before it."""
        if name not in self.names:
            return f't."{name}"'
        if name not in self.partial:
            return self.value(name)
        return f'CASE WHEN s."set {name}" THEN {self.value(name)} ELSE t."{name}" END'

    @property
    def same_record(self) -> str:
        """Return the condition that joins a row `t` to its stage `s`."""
        return f"t._n = s._n AND t._n BETWEEN {self.low} AND {self.high}"


@contextmanager
def staged(
    cursor: duckdb.DuckDBPyConnection, target: SObject, numbers: Sequence[int], rows: Sequence[Mapping[str, Any]]
) -> Iterator[Stage]:
    """Show rows of values by field name as a view; `numbers` are those of their records."""
    names = tuple(dict.fromkeys(name for row in rows for name in row))
    arrays: dict[str, Any] = {"_n": np.array(numbers, dtype="int64")}
    partial = set()
    for name in names:
        arrays[name] = np.array([_as_text(row.get(name)) for row in rows], dtype=object)
        given = np.array([name in row for row in rows], dtype=bool)
        if not given.all():
            partial.add(name)
            arrays[f"set {name}"] = given
    cursor.register(VIEW, arrays)
    try:
        yield Stage(
            target=target, names=names, partial=frozenset(partial), low=min(numbers), high=max(numbers),
            count=len(numbers),
        )  # fmt: skip
    finally:
        cursor.unregister(VIEW)


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return repr(value) if isinstance(value, float) else str(value)

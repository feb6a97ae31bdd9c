"""Decide whether two readers of one org saw the same, although it changed while they read.

Stamps are whole seconds and a slow commit shows up after its stamp, so what a reader must have seen ends a little
before it began: that is its `settled`. A record that both hold under one settled stamp is the same version and must be
equal in every value. One that they hold under different stamps, or that only one holds, must have changed after the
other's `settled`; otherwise the other missed it. Calculated fields change without a stamp: they are compared once
nothing moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

Values = Mapping[str, str]
STAMP = "SystemModstamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Hold what one reader saw of an object, in one form, by Id; `settled` is None when nothing moved any more."""

    name: str
    rows: Mapping[str, Values]
    settled: datetime | None = None
    folds_newlines: bool = False  # it makes one newline of CR LF in a text: its own loss, counted and not ours


@dataclass(slots=True, kw_only=True)
class Agreement:
    """Count what two readers agree on, and keep in words what they do not."""

    records: int = 0  # compared value by value
    deleted: int = 0  # of them, those in the recycle bin
    values: int = 0
    moved: int = 0  # changed while one of them read
    folded: int = 0  # values in which one of them made one newline of two characters
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Agreement) -> None:
        """Take in what was found about another object."""
        self.records += other.records
        self.deleted += other.deleted
        self.values += other.values
        self.moved += other.moved
        self.folded += other.folded
        self.wrong += other.wrong


def agree(one: Reading, two: Reading, *, calculated: frozenset[str] = frozenset()) -> Agreement:
    """Compare two readings of one object; `calculated` fields are left out while the org moves."""
    found = Agreement()
    for key in sorted(one.rows.keys() | two.rows.keys()):
        first, second = one.rows.get(key), two.rows.get(key)
        if first is None or second is None or first[STAMP] != second[STAMP]:
            missed = _missed(key, one, two)
            found.moved += not missed
            found.wrong += [missed] if missed else []
        elif not (_settled(first, one) and _settled(first, two)):
            found.moved += 1
        else:
            moving = one.settled is not None or two.settled is not None
            fields = [name for name in first if not (moving and name in calculated)]
            _compare(key, fields, one, two, found)
    return found


def _settled(values: Values, reading: Reading) -> bool:
    return reading.settled is None or datetime.fromisoformat(values[STAMP]) <= reading.settled


def _missed(key: str, one: Reading, two: Reading) -> str:
    """Return which reader should have seen a version of a record that it does not hold, or "" when none should."""
    first, second = one.rows.get(key), two.rows.get(key)
    stamps = {one.name: first[STAMP] if first else "", two.name: second[STAMP] if second else ""}
    newer, older = (one, two) if stamps[one.name] > stamps[two.name] else (two, one)
    if _settled(newer.rows[key], older):
        held = f"holds it as of {stamps[older.name]}" if stamps[older.name] else "does not have it"
        return f"{older.name} missed {key}: {newer.name} has it as of {stamps[newer.name]}, {older.name} {held}"
    return ""


def _compare(key: str, fields: Sequence[str], one: Reading, two: Reading, found: Agreement) -> None:
    found.records += 1
    found.deleted += one.rows[key].get("IsDeleted") == "true"
    found.values += len(fields)
    for name in fields:
        first, second = one.rows[key][name], two.rows[key][name]
        if first == second:
            continue
        if (one.folds_newlines or two.folds_newlines) and _folded(first) == _folded(second):
            found.folded += 1
            continue
        found.wrong.append(f"{name} of {key} is {first!r} for {one.name} and {second!r} for {two.name}")


def _folded(value: str) -> str:
    return value.replace("\r\n", "\n")

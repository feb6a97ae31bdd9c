"""Changes of records: every one moves SystemModstamp; some become visible only later, as a slow commit does.

A change that is visible at once happens in its row. A late one adds a second version of the record: readers see the old
one until its time has come, and then a stamp that lies in the past. Until then the record is locked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from include.sandbox.org.clock import Clock
from include.sandbox.org.ids import make_id, number_of
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.store.database import Database
from include.sandbox.org.store.history import History
from include.sandbox.org.store.stage import VIEW, Stage, staged
from include.sandbox.org.store.tables import FOREVER, visible_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Say who changes something, and how many seconds later readers see it."""

    user_id: str
    late: float = 0.0
    system_only: bool = False  # the platform's own changes leave LastModifiedDate alone
    expressions: Callable[[Stage], Mapping[str, str]] | None = None  # fields set by SQL of ours over the old row `t`


class Changes:
    """Write records."""

    def __init__(self, database: Database, catalogue: Catalogue, clock: Clock) -> None:
        self._database = database
        self._catalogue = catalogue
        self._clock = clock
        self.history = History(catalogue, self._take_numbers)

    def stamp(self) -> datetime:
        """Return what a change of this second is stamped with."""
        return self._clock.second().replace(tzinfo=None)

    def insert(self, target: SObject, rows: Sequence[Mapping[str, Any]], change: Change) -> list[str]:
        """Create records from stored values by field name, and return their Ids; audit fields may be among them."""
        if not rows:
            return []
        stamp = self.stamp()
        audit: dict[str, Any] = {
            "CreatedDate": stamp, "LastModifiedDate": stamp, "SystemModstamp": stamp,
            "CreatedById": change.user_id, "LastModifiedById": change.user_id,
        }  # fmt: skip
        usual: dict[str, Any] = {each.name: each.default for each in target.columns if each.default is not None}
        usual |= {name: value for name, value in audit.items() if target.field(name)}
        with self._database.write() as cursor:
            first = self._take_numbers(cursor, target, len(rows))
            numbers = range(first, first + len(rows))
            filled = [
                usual | dict(row) | {"Id": make_id(target.prefix, number)}
                for number, row in zip(numbers, rows, strict=True)
            ]
            visible = self._visible_from(change)
            with staged(cursor, target, numbers, filled) as stage:
                names = ", ".join(f'"{name}"' for name in stage.names)
                values = ", ".join(stage.value(name) for name in stage.names)
                cursor.execute(
                    f'INSERT INTO "{target.name}" (_n, _from, _until, _defects, {names})'
                    f" SELECT s._n, {visible}, {FOREVER}, 0, {values} FROM {VIEW} s"
                )
                self.history.note_created(cursor, stage, user_id=change.user_id, stamp=stamp, visible=visible)
        return [str(row["Id"]) for row in filled]

    def update(
        self, target: SObject, record_ids: Sequence[str], values: Mapping[str, Any], change: Change,
        expressions: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Set fields of records to the same values, or to SQL expressions of our own over their old ones."""
        numbers = list(dict.fromkeys(number for each in record_ids if (number := number_of(each)) is not None))
        own = replace(change, expressions=lambda _stage: expressions or {})
        if numbers:
            with self._database.write() as cursor:
                self._refuse_locked(cursor, target, numbers)
                self.update_each(target, numbers, [values] * len(numbers), own)

    def update_each(
        self, target: SObject, numbers: Sequence[int], rows: Sequence[Mapping[str, Any]], change: Change
    ) -> None:
        """Set fields of records, each to values of its own; nobody may have locked them."""
        if not numbers:
            return
        with self._database.write() as cursor, staged(cursor, target, numbers, rows) as stage:
            assigned = self._assigned(stage, change)
            visible = self._visible_from(change)
            self.history.note_changes(cursor, stage, user_id=change.user_id, stamp=self.stamp(), visible=visible)
            before = f"t._until = {FOREVER} AND {stage.same_record}"
            if not change.late:
                sets = ", ".join(f'"{name}" = {sql}' for name, sql in assigned.items())
                cursor.execute(f'UPDATE "{target.name}" AS t SET {sets} FROM {VIEW} s WHERE {before}')
                return
            replaced = ", ".join(f'{sql} AS "{name}"' for name, sql in assigned.items())
            cursor.execute(
                f"CREATE OR REPLACE TEMP TABLE late AS SELECT t.* REPLACE ({replaced}, {visible}::BIGINT AS _from)"
                f' FROM "{target.name}" t, {VIEW} s WHERE {before}'
            )
            cursor.execute(f'UPDATE "{target.name}" AS t SET _until = {visible} FROM {VIEW} s WHERE {before}')
            cursor.execute(f'INSERT INTO "{target.name}" SELECT * FROM late')
            cursor.execute("DROP TABLE late")

    def _assigned(self, stage: Stage, change: Change) -> dict[str, str]:
        """Return what each changed field is set to, as SQL over the old row `t` and its stage `s`."""
        stored = [name for name in stage.names if stage.target.by_name[name.lower()].stored]
        assigned = {name: stage.after(name) for name in stored}
        expressions = change.expressions(stage) if change.expressions else {}
        assigned |= {name: stage.target.by_name[name.lower()].kept(sql) for name, sql in expressions.items()}
        stamp = f"TIMESTAMP '{self.stamp().isoformat(' ')}'"
        audit = {"SystemModstamp": stamp}
        if not change.system_only:
            audit |= {"LastModifiedDate": stamp, "LastModifiedById": f"'{change.user_id}'"}
        return assigned | {name: sql for name, sql in audit.items() if stage.target.field(name)}

    def children(self, child: SObject, field_name: str, record_ids: Sequence[str]) -> list[str]:
        """Return the Ids of present records that refer to any of these."""
        present = ' AND NOT "IsDeleted"' if child.field("IsDeleted") else ""
        sql = (
            f'SELECT "Id" FROM "{child.name}" WHERE _until = {FOREVER}{present}'
            f' AND "{field_name}" IN (SELECT unnest($1::VARCHAR[])) ORDER BY _n'
        )
        return [row[0] for row in self._database.rows(sql, [list(record_ids)])]

    def draw(self, target: SObject, count: int, seed: int) -> list[str]:
        """Return the Ids of some present records that nobody has locked; the same seed draws the same ones."""
        present = ' AND NOT t."IsDeleted"' if target.field("IsDeleted") else ""
        present += ' AND t."IsArchived" IS NOT TRUE' if target.field("IsArchived") else ""
        sql = (
            f'SELECT t."Id" FROM "{target.name}" t WHERE {visible_sql("t", "$1")} AND t._until = {FOREVER}{present}'
            f" ORDER BY hash(t._n * 4099 + $2::BIGINT), t._n LIMIT $3"
        )
        return [row[0] for row in self._database.rows(sql, [self._clock.milliseconds(), seed, count])]

    def _visible_from(self, change: Change) -> int:
        return self._clock.milliseconds() + int(change.late * 1000) if change.late else 0

    def _take_numbers(self, cursor: Any, target: SObject, count: int) -> int:
        """Return the first of so many numbers that no record of this object ever had."""
        highest = self._database.highest.get(target.prefix)
        if highest is None:
            alike = [each.name for each in self._catalogue.objects.values() if each.prefix == target.prefix]
            present = ", ".join(f'(SELECT max(_n) FROM "{name}")' for name in alike)
            gone = ", ".join(f"(SELECT max(n) FROM sandbox_highest WHERE object = '{name}')" for name in alike)
            highest = cursor.execute(f"SELECT greatest(0, {present}, {gone})").fetchall()[0][0]
        self._database.highest[target.prefix] = highest + count
        return int(highest) + 1

    def _refuse_locked(self, cursor: Any, target: SObject, numbers: list[int]) -> None:
        locked = cursor.execute(
            f'SELECT "Id" FROM "{target.name}" WHERE _until = {FOREVER} AND _from > ?'
            f" AND _n IN (SELECT unnest(?::BIGINT[])) LIMIT 1",
            [self._clock.milliseconds(), numbers],
        ).fetchall()
        if locked:
            raise locked_row(locked[0][0])


def locked_row(record_id: str) -> Refusal:
    """Return the refusal of a record that another transaction holds."""
    message = f"unable to obtain exclusive access to this record or 1 records: {record_id}"
    return Refusal(400, "UNABLE_TO_LOCK_ROW", message, [])

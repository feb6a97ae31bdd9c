"""Changes of records: every one moves SystemModstamp; some become visible only later, as a slow commit does.

A change that is visible at once happens in its row. A late one adds a second version of the record: readers see the old
one until its time has come, and then a stamp that lies in the past. Until then the record is locked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.sandbox.org.clock import Clock
from include.sandbox.org.ids import make_id, number_of
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.store.database import Database
from include.sandbox.org.store.tables import FOREVER, visible_sql

_CASCADES = {"Account": (("Contact", "AccountId"), ("Opportunity", "AccountId"), ("Task", "WhatId"))}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Say who changes something, and how many seconds later readers see it."""

    user_id: str
    late: float = 0.0
    system_only: bool = False  # the platform's own changes leave LastModifiedDate alone


class Changes:
    """Write records."""

    def __init__(self, database: Database, catalogue: Catalogue, clock: Clock) -> None:
        self._database = database
        self._catalogue = catalogue
        self._clock = clock

    def insert(self, target: SObject, rows: Sequence[Mapping[str, Any]], change: Change) -> list[str]:
        """Create records from stored values by field name, and return their Ids."""
        stamp = self._clock.second().replace(tzinfo=None)
        audit = {
            "CreatedDate": stamp, "LastModifiedDate": stamp, "SystemModstamp": stamp,
            "CreatedById": change.user_id, "LastModifiedById": change.user_id,
        }  # fmt: skip
        visible = self._clock.milliseconds() + int(change.late * 1000) if change.late else 0
        ids = []
        with self._database.write() as cursor:
            highest = cursor.execute(f'SELECT max(_n) FROM "{target.name}"').fetchall()[0][0] or 0
            for number, row in enumerate(rows, start=highest + 1):
                own = {"_n": number, "_from": visible, "_until": FOREVER, "_defects": 0}
                defaults = {each.name: each.default for each in target.columns if each.default is not None}
                filled = own | defaults | dict(row) | audit | {"Id": make_id(target.prefix, number)}
                names = ", ".join(f'"{name}"' for name in filled)
                marks = ", ".join("?" for _ in filled)
                cursor.execute(f'INSERT INTO "{target.name}" ({names}) VALUES ({marks})', list(filled.values()))
                ids.append(filled["Id"])
        return ids

    def update(
        self, target: SObject, record_ids: Sequence[str], values: Mapping[str, Any], change: Change,
        expressions: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Set fields of records to values, or to SQL expressions of our own over their old ones."""
        numbers = [number for each in record_ids if (number := number_of(each)) is not None]
        if not numbers:
            return
        stamp = self._clock.second().replace(tzinfo=None)
        audit: dict[str, Any] = {"SystemModstamp": stamp}
        if not change.system_only:
            audit |= {"LastModifiedDate": stamp, "LastModifiedById": change.user_id}
        bound = {name: value for name, value in (dict(values) | audit).items() if target.by_name[name.lower()].stored}
        with self._database.write() as cursor:
            self._refuse_locked(cursor, target, numbers)
            if not change.late:
                assignments = [f'"{name}" = ?' for name in bound]
                assignments += [f'"{name}" = {sql}' for name, sql in (expressions or {}).items()]
                cursor.execute(
                    f'UPDATE "{target.name}" SET {", ".join(assignments)}'
                    f" WHERE _until = {FOREVER} AND _n IN (SELECT unnest(?::BIGINT[]))",
                    [*bound.values(), numbers],
                )
                return
            visible = self._clock.milliseconds() + int(change.late * 1000)
            replaced = [f'?::{target.by_name[name.lower()].sql_type} AS "{name}"' for name in bound]
            replaced += [f'{sql} AS "{name}"' for name, sql in (expressions or {}).items()]
            replaced.append(f"{visible}::BIGINT AS _from")
            newest = f'FROM "{target.name}" WHERE _until = {FOREVER} AND _n IN (SELECT unnest(?::BIGINT[]))'
            cursor.execute(f"CREATE OR REPLACE TEMP TABLE late AS SELECT * REPLACE ({', '.join(replaced)}) {newest}",
                           [*bound.values(), numbers])  # fmt: skip
            cursor.execute(
                f'UPDATE "{target.name}" SET _until = ?'
                f" WHERE _until = {FOREVER} AND _n IN (SELECT unnest(?::BIGINT[]))",
                [visible, numbers],
            )
            cursor.execute(f'INSERT INTO "{target.name}" SELECT * FROM late')
            cursor.execute("DROP TABLE late")

    def delete(self, target: SObject, record_ids: Sequence[str], change: Change) -> None:
        """Move records, and what lives only through them, to the recycle bin."""
        self.update(target, record_ids, {"IsDeleted": True}, change)
        for child_name, field_name in _CASCADES.get(target.name, ()):
            child = self._catalogue.objects[child_name]
            below = self.children(child, field_name, record_ids)
            self.update(child, below, {"IsDeleted": True}, change)

    def undelete(self, target: SObject, record_ids: Sequence[str], change: Change) -> None:
        """Take records back out of the recycle bin."""
        self.update(target, record_ids, {"IsDeleted": False}, change)

    def merge(self, target: SObject, master: str, loser: str, change: Change) -> None:
        """Merge a record into another: the loser is deleted and points to its master, its children move over."""
        self.update(target, [loser], {"IsDeleted": True, "MasterRecordId": master}, change)
        self.update(target, [master], {}, change)
        for link in target.children:
            child = self._catalogue.find(link.object)
            if child is not None:
                moved = self.children(child, link.field, [loser])
                self.update(child, moved, {link.field: master}, Change(user_id=change.user_id, system_only=True))

    def children(self, child: SObject, field_name: str, record_ids: Sequence[str]) -> list[str]:
        """Return the Ids of present records that refer to any of these."""
        sql = (
            f'SELECT "Id" FROM "{child.name}" WHERE _until = {FOREVER} AND NOT "IsDeleted"'
            f' AND "{field_name}" IN (SELECT unnest($1::VARCHAR[]))'
        )
        return [row[0] for row in self._database.rows(sql, [list(record_ids)])]

    def draw(self, target: SObject, count: int, seed: int) -> list[str]:
        """Return the Ids of some present records that nobody has locked; the same seed draws the same ones."""
        present = ' AND NOT t."IsDeleted"' if target.field("IsDeleted") else ""
        sql = (
            f'SELECT t."Id" FROM "{target.name}" t WHERE {visible_sql("t", "$1")} AND t._until = {FOREVER}{present}'
            f" ORDER BY hash(t._n * 4099 + $2::BIGINT), t._n LIMIT $3"
        )
        return [row[0] for row in self._database.rows(sql, [self._clock.milliseconds(), seed, count])]

    def _refuse_locked(self, cursor: Any, target: SObject, numbers: list[int]) -> None:
        locked = cursor.execute(
            f'SELECT "Id" FROM "{target.name}" WHERE _until = {FOREVER} AND _from > ?'
            f" AND _n IN (SELECT unnest(?::BIGINT[])) LIMIT 1",
            [self._clock.milliseconds(), numbers],
        ).fetchall()
        if locked:
            message = f"unable to obtain exclusive access to this record or 1 records: {locked[0][0]}"
            raise Refusal(400, "UNABLE_TO_LOCK_ROW", message, [])

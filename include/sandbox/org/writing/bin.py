"""The recycle bin: fifteen days of the org's clock, then a record is gone for good, even for queryAll."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from include.sandbox.org.ids import number_of
from include.sandbox.org.schema.field import SObject

if TYPE_CHECKING:
    from include.sandbox.org.org import Org

_DAY = 86_400_000
KEPT = 15 * _DAY
_EMPTIED_FOR = _DAY  # what was emptied out of the bin can still be read by queryAll for about a day


def put(org: Org, target: SObject, roots: Mapping[str, str]) -> None:
    """Note deleted records, and the record whose deletion took each one along."""
    if not roots:
        return
    now = org.clock.milliseconds()
    with org.database.write() as cursor:
        cursor.execute(
            "INSERT INTO sandbox_bin SELECT $1, unnest($2::BIGINT[]), unnest($3::VARCHAR[]), $4::BIGINT, $5::BIGINT,"
            " unnest($6::VARCHAR[]), FALSE",
            [
                target.name, [number_of(each) for each in roots], list(roots), now, now + KEPT, list(roots.values()),
            ],
        )  # fmt: skip


def companions(org: Org, root: str) -> dict[str, list[str]]:
    """Return the Ids that the deletion of a record took along, itself among them, by object."""
    found: dict[str, list[str]] = {}
    sql = "SELECT object, id FROM sandbox_bin WHERE root = $1 AND NOT emptied ORDER BY object, n"
    for name, record_id in org.database.rows(sql, [root]):
        found.setdefault(name, []).append(record_id)
    return found


def entry(org: Org, record_id: str) -> tuple[str, bool] | None:
    """Return which deletion took a record along and whether it was emptied out of the bin, or None."""
    rows = org.database.rows("SELECT root, emptied FROM sandbox_bin WHERE id = $1", [record_id])
    return (rows[0][0], rows[0][1]) if rows else None


def take(org: Org, ids: Sequence[str]) -> None:
    """Forget that records were deleted."""
    with org.database.write() as cursor:
        cursor.execute("DELETE FROM sandbox_bin WHERE id IN (SELECT unnest($1::VARCHAR[]))", [list(ids)])


def empty(org: Org, ids: Sequence[str]) -> None:
    """Take what these deletions put into the bin out of it for good; queryAll still finds it for a day."""
    due = org.clock.milliseconds() + _EMPTIED_FOR
    with org.database.write() as cursor:
        cursor.execute(
            "UPDATE sandbox_bin SET emptied = TRUE, due = least(due, $1) WHERE root IN (SELECT unnest($2::VARCHAR[]))",
            [due, list(ids)],
        )


def purge(org: Org) -> int:
    """Remove for good what has lain in the bin for fifteen days; return how many records that were."""
    now = org.clock.milliseconds()
    rows = org.database.rows("SELECT object, id FROM sandbox_bin WHERE due <= $1", [now])
    if not rows:
        return 0
    by_object: dict[str, list[str]] = {}
    for name, record_id in rows:
        by_object.setdefault(name, []).append(record_id)
    with org.database.write() as cursor:
        cursor.execute(
            "INSERT INTO sandbox_gone SELECT object, id, date_trunc('second', make_timestamp(deleted_at * 1000))"
            " FROM sandbox_bin WHERE due <= $1",
            [now],
        )
        for name, ids in by_object.items():
            target = org.catalogue.find(name)
            if target is not None:
                remove(org, target, ids)
            take(org, ids)
    return len(rows)


def shred(org: Org, target: SObject, ids: Sequence[str]) -> None:
    """Delete records past the bin; the log of deletions alone remembers them."""
    stamp = org.clock.second().replace(tzinfo=None)
    with org.database.write() as cursor:
        cursor.execute(
            "INSERT INTO sandbox_gone SELECT $1, unnest($2::VARCHAR[]), $3::TIMESTAMP", [target.name, list(ids), stamp]
        )
        remove(org, target, ids)
        take(org, ids)


def remove(org: Org, target: SObject, ids: Sequence[str]) -> None:
    """Remove records from the store."""
    numbers = [number for each in ids if (number := number_of(each)) is not None]
    if not numbers:
        return
    with org.database.write() as cursor:
        cursor.execute("DELETE FROM sandbox_highest WHERE object = $1", [target.name])
        highest = f'SELECT $1, greatest(max(_n), {org.database.highest.get(target.prefix, 0)}) FROM "{target.name}"'
        cursor.execute(f"INSERT INTO sandbox_highest {highest}", [target.name])
        cursor.execute(
            f'DELETE FROM "{target.name}" WHERE _n BETWEEN {min(numbers)} AND {max(numbers)}'
            " AND _n IN (SELECT unnest($1::BIGINT[]))",
            [numbers],
        )

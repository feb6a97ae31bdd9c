"""Count the live records of an object, without reading its table where the journal knows by how much they changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from include.warehouse.engine import quoted
from include.warehouse.health.changed_rows import Moment
from include.warehouse.health.journals import LIVE


def count_live(
    connection: Connection, schema: str, object: str, conditions: Mapping[str, str], moment: Moment
) -> tuple[int, dict[str, int]]:
    """Return how many live records an object has, and by name how many of them meet each condition.

    Args:
        connection: the assessment's.
        schema: where the org's tables are.
        object: which.
        conditions: SQL over the fields of the object, by any name.
        moment: what the connection sees.
    """
    journal = moment.journals.get(object)
    if journal is None or not set(conditions.values()) <= set(journal.conditions):
        counts = _scan(connection, schema, object, list(conditions.values()))
        return counts[0], dict(zip(conditions, counts[1:], strict=True))
    named = {"id": journal.journal_id, "place": moment.places[object]}
    before = connection.execute(text(_BEFORE), named).scalar_one_or_none()
    if before is None:
        counts = _scan(connection, schema, object, journal.conditions)
    else:
        moved = connection.execute(text(_MOVED), named).scalar_one() or [0] * len(before)
        counts = [count + more for count, more in zip(before, moved, strict=True)]
    # Exactly the lines that this transaction sees are in the counts now: one of later is the next one's.
    connection.execute(text("DELETE FROM headwater.journal_count WHERE journal_id = :id"), named)
    connection.execute(text(_KEEP), {**named, "counts": counts})
    by_condition = dict(zip(journal.conditions, counts[1:], strict=True))
    return counts[0], {name: by_condition[condition] for name, condition in conditions.items()}


def _scan(connection: Connection, schema: str, object: str, conditions: Sequence[str]) -> list[int]:
    more = "".join(f", count(*) FILTER (WHERE {each})" for each in conditions)
    row = connection.exec_driver_sql(f"SELECT count(*){more} FROM {quoted(schema, object)} WHERE {LIVE}").one()
    return [int(each) for each in row]


_BEFORE = "SELECT counts FROM headwater.counted WHERE journal_id = :id AND place = :place"

_MOVED = """
SELECT array_agg(moved ORDER BY n) FROM (
    SELECT n, sum(c)::bigint AS moved
    FROM headwater.journal_count, unnest(counts) WITH ORDINALITY AS each (c, n)
    WHERE journal_id = :id GROUP BY n) AS of_each"""

_KEEP = """
INSERT INTO headwater.counted (journal_id, place, counts) VALUES (:id, :place, CAST(:counts AS bigint[]))
ON CONFLICT (journal_id) DO UPDATE SET place = excluded.place, counts = excluded.counts"""

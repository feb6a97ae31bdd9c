"""Find the pairs of records that meet in a block: of all records, or of those whose keys changed.

What changed is compared with what shares a key with it, by index, so that it costs what changed. A block of too many
records is left out, whole; when it grows over the limit or falls below it, all of its records are looked at again, and
so the outcome is the same as if everything had been.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from include.warehouse.duplicates.ledger import FOUND
from include.warehouse.duplicates.match_keys import KeySet
from include.warehouse.engine import quoted

_WHOLE_FROM = 0.1  # of all records changed: to look at all of them is cheaper


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Say which columns bring records together, and by which conditions on `a` and `b` two of them are one."""

    name: str
    columns: tuple[str, ...]
    rules: tuple[tuple[str, str, str], ...]  # name, condition, score

    @property
    def first(self) -> str:
        """Return the branches that say the number of the first rule that holds."""
        return " ".join(f"WHEN {each[1]} THEN {place}" for place, each in enumerate(self.rules))


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Name the table of the records that must be compared; `whole`: all of them, and the table is empty."""

    table: str
    records: int
    whole: bool


def take_due(connection: Connection, keys: KeySet) -> Due:
    """Take the records whose keys changed since the last time, and forget the keys of those that are gone.

    Rows that a load holds just now are left for the next time.
    """
    due = f"due_{keys.set_id}"
    run = connection.exec_driver_sql
    run(f"DROP TABLE IF EXISTS {due}")
    run(f"CREATE TEMPORARY TABLE {due} (record_id text NOT NULL) ON COMMIT DROP")
    run(
        f"WITH free AS (SELECT record_id FROM {keys.table} WHERE due FOR UPDATE SKIP LOCKED),"
        f" taken AS (UPDATE {keys.table} AS k SET due = false FROM free WHERE k.record_id = free.record_id"
        f" RETURNING k.record_id) INSERT INTO {due} SELECT record_id FROM taken"
    )
    run(f"DELETE FROM {keys.table} AS k USING {due} AS d WHERE k.record_id = d.record_id AND k.gone")
    run(f"ANALYZE {due}")
    changed = int(run(f"SELECT count(*) FROM {due}").scalar_one())
    records = int(
        run(
            "SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = to_regclass(%(t)s)", {"t": keys.table}
        ).scalar_one()
    )
    whole = keys.whole or (changed > 1000 and changed > _WHOLE_FROM * records)
    if whole:
        changed = int(run(f"SELECT count(*) FROM {keys.table}").scalar_one())
    return Due(table=due, records=changed, whole=whole)


def search(
    connection: Connection, keys: KeySet, due: Due, blocks: Sequence[Sought], *, limit: int, least: float
) -> None:
    """Fill `pair_found` with the pairs that one of the due records is in."""
    connection.exec_driver_sql("SET LOCAL work_mem = '128MB'")
    connection.exec_driver_sql("SET LOCAL jit = off")
    run = connection.exec_driver_sql
    if due.whole:
        connection.execute(text("DELETE FROM headwater.match_crowd WHERE set_id = :id"), {"id": keys.set_id})
    else:
        for block in blocks:
            for statement in _recount(keys, due, block, limit):
                run(statement)
        run(f"ANALYZE {due.table}")
    for block in blocks:
        for statement in (_of_all if due.whole else _of_due)(keys, due, block, limit):
            run(statement)
        run("ANALYZE block_member (key, record_id)")
        run(_pairs(block, least), execution_options={"no_parameters": True})


def _of_all(keys: KeySet, due: Due, block: Sought, limit: int) -> Iterator[str]:
    """Yield what fills `block_member` with every record that shares its key, and notes the keys of too many."""
    yield "DROP TABLE IF EXISTS block_member, block_key"
    yield (
        "CREATE TEMPORARY TABLE block_key ON COMMIT DROP AS SELECT key, count(*) AS members"
        f" FROM ({members(keys.table, block)}) AS m GROUP BY key HAVING count(*) > 1"
    )
    yield (
        f"INSERT INTO headwater.match_crowd (set_id, block, key) SELECT {keys.set_id}, '{block.name}', key"
        f" FROM block_key WHERE members > {limit}"
    )
    yield f"DELETE FROM block_key WHERE members > {limit}"
    yield "ANALYZE block_key"
    chosen = " UNION ALL ".join(
        f"SELECT b.key, true AS is_due, k.* FROM block_key AS b JOIN {keys.table} AS k ON k.{quoted(column)} = b.key"
        f"{_unless_named(block, place)}"
        for place, column in enumerate(block.columns)
    )
    yield f"CREATE TEMPORARY TABLE block_member ON COMMIT DROP AS {chosen}"


def _of_due(keys: KeySet, due: Due, block: Sought, limit: int) -> Iterator[str]:
    """Yield what fills `block_member` with the records that share a key with one that is due."""
    yield "DROP TABLE IF EXISTS block_member, block_key"
    own = " UNION ".join(
        f"SELECT k.{quoted(column)} AS key FROM {due.table} AS d JOIN {keys.table} AS k USING (record_id)"
        f" WHERE k.{quoted(column)} IS NOT NULL"
        for column in block.columns
    )
    yield (
        f"CREATE TEMPORARY TABLE block_key ON COMMIT DROP AS ({own}) EXCEPT"
        f" SELECT key FROM headwater.match_crowd WHERE set_id = {keys.set_id} AND block = '{block.name}'"
    )
    yield "ANALYZE block_key"
    is_due = f"EXISTS (SELECT FROM {due.table} AS d WHERE d.record_id = k.record_id)"
    chosen = " UNION ALL ".join(
        f"SELECT b.key, {is_due} AS is_due, k.* FROM block_key AS b JOIN {keys.table} AS k"
        f" ON k.{quoted(column)} = b.key{_unless_named(block, place)}"
        for place, column in enumerate(block.columns)
    )
    yield f"CREATE TEMPORARY TABLE block_member ON COMMIT DROP AS {chosen}"


def _unless_named(block: Sought, place: int) -> str:
    """Return the condition that a record was not named already by a column before this one."""
    column = quoted(block.columns[place])
    return "".join(f" AND {column} IS DISTINCT FROM {quoted(each)}" for each in block.columns[:place])


def members(table: str, block: Sought) -> str:
    """Return the statement that names every record of each key, once though it has it in two columns."""
    return " UNION ALL ".join(
        f"SELECT record_id, {quoted(column)} AS key FROM {table} WHERE {quoted(column)} IS NOT NULL"
        f"{_unless_named(block, place)}"
        for place, column in enumerate(block.columns)
    )


def _recount(keys: KeySet, due: Due, block: Sought, limit: int) -> Iterator[str]:
    own = " UNION ".join(
        f"SELECT k.{quoted(column)} AS key FROM {due.table} AS d JOIN {keys.table} AS k USING (record_id)"
        f" WHERE k.{quoted(column)} IS NOT NULL"
        for column in block.columns
    )
    counted = " UNION ".join(
        f"(SELECT record_id FROM {keys.table} AS k WHERE k.{quoted(column)} = c.key LIMIT {limit + 1})"
        for column in block.columns
    )
    crowd = f"headwater.match_crowd WHERE set_id = {keys.set_id} AND block = '{block.name}'"
    yield "DROP TABLE IF EXISTS crowd_change"
    yield (
        "CREATE TEMPORARY TABLE crowd_change ON COMMIT DROP AS SELECT c.key, c.was, n.members FROM ("
        f"SELECT key, bool_or(was) AS was FROM (SELECT key, false AS was FROM ({own}) AS own"
        f" UNION ALL SELECT key, true FROM {crowd}) AS each GROUP BY key) AS c"
        f" CROSS JOIN LATERAL (SELECT count(*) AS members FROM ({counted}) AS counted) AS n"
        f" WHERE c.was <> (n.members > {limit})"
    )
    yield f"DELETE FROM {crowd} AND key IN (SELECT key FROM crowd_change WHERE was)"
    yield (
        f"INSERT INTO headwater.match_crowd (set_id, block, key)"
        f" SELECT {keys.set_id}, '{block.name}', key FROM crowd_change WHERE NOT was"
    )
    for column in block.columns:
        yield (
            f"INSERT INTO {due.table} SELECT k.record_id FROM crowd_change AS c"
            f" JOIN {keys.table} AS k ON k.{quoted(column)} = c.key"
            f" WHERE NOT EXISTS (SELECT FROM {due.table} AS d WHERE d.record_id = k.record_id)"
        )


def judged(block: Sought) -> str:
    """Return the rule and the score of two records `a` and `b`, of whose rules the one numbered `j.by` holds."""
    named = " ".join(f"WHEN {place} THEN '{each[0]}'" for place, each in enumerate(block.rules))
    score = " ".join(f"WHEN {place} THEN {each[2]}" for place, each in enumerate(block.rules))
    return f"CASE j.by {named} END AS rule, (CASE j.by {score} END)::real AS score"


def _pairs(block: Sought, least: float) -> str:
    """Return the statement that judges every two records of a key by the first rule that holds."""
    return (
        f"INSERT INTO {FOUND} SELECT left_id, right_id, rule, score FROM ("
        f"SELECT a.record_id AS left_id, b.record_id AS right_id, {judged(block)}"
        " FROM block_member AS a JOIN block_member AS b ON b.key = a.key"
        ' AND a.record_id COLLATE "C" < b.record_id COLLATE "C" AND (a.is_due OR b.is_due)'
        f" CROSS JOIN LATERAL (SELECT CASE {block.first} END AS by OFFSET 0) AS j WHERE j.by IS NOT NULL) AS judged"
        f" WHERE score >= {least}"
    )

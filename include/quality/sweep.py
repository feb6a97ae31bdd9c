"""Find every record that fails a check, with set-based statements, in the snapshot of the assessment.

Checks that look at one row only are judged together in one pass over the table; a check that looks at other rows gets
a statement of its own, because PostgreSQL can only then plan it as a join.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from include.config.checks import CheckDefinition
from include.quality.catalogue import KnownObject
from include.quality.predicate import LIVE, condition
from include.warehouse.engine import quoted
from include.warehouse.findings import open_sweep


def known_objects(connection: Connection, org: str, schema: str) -> dict[str, KnownObject]:
    """Return what the warehouse has of the org: the fields that the org still describes and that have a column."""
    rows = connection.execute(text(_KNOWN), {"org": org, "schema": schema})
    return {
        row.object: KnownObject(loaded=row.loaded, columns=frozenset(row.columns), version=row.version) for row in rows
    }


def count_records(
    connection: Connection, schema: str, object: str, passed_over: Mapping[str, Sequence[str]]
) -> tuple[int, dict[str, int]]:
    """Return how many live records an object has, and how many of them each check passes over, in one scan.

    Args:
        connection: the assessment's.
        schema: where the org's tables are.
        object: which.
        passed_over: by check, the fields of which an empty one takes a record out of it.
    """
    conditions = {
        name: " OR ".join(f"{quoted(field)} IS NULL" for field in fields) for name, fields in passed_over.items()
    }
    counts = "".join(f", count(*) FILTER (WHERE {where})" for where in conditions.values())
    row = connection.exec_driver_sql(f"SELECT count(*){counts} FROM {quoted(schema, object)} WHERE {LIVE}").one()
    return int(row[0]), dict(zip(conditions, map(int, row[1:]), strict=True))


def sweep(connection: Connection, due: Sequence[CheckDefinition], *, schema: str, now: datetime) -> dict[str, str]:
    """Fill the table `sweep` with the Ids that fail; return the checks that could not be judged, with the reason.

    A check that PostgreSQL refuses (a pattern on a number, a text that is no date) must not stop the others.
    """
    connection.exec_driver_sql("SET LOCAL work_mem = '64MB'")
    connection.exec_driver_sql("SET LOCAL jit = off")
    open_sweep(connection)
    refused: dict[str, str] = {}
    for object in sorted({check.object for check in due}):
        checks = [check for check in due if check.object == object and check.names_records]
        conditions = {check.check: condition(check.predicate, schema=schema, now=now) for check in checks}
        for group in _passes(checks):
            chosen = {name: conditions[name] for name in group}
            refused |= _judge(connection, schema, object, chosen)
    return refused


def _passes(checks: Sequence[CheckDefinition]) -> list[list[str]]:
    alone = [[check.check] for check in checks if check.predicate.reads_other_rows]
    together = [check.check for check in checks if not check.predicate.reads_other_rows]
    return ([together] if together else []) + alone


def _judge(connection: Connection, schema: str, object: str, conditions: Mapping[str, str]) -> dict[str, str]:
    """Store the failing Ids of some checks; if the statement is refused, try each check by itself."""
    try:
        with connection.begin_nested():
            _run(connection, _statement(schema, object, conditions))
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None) or ""
        if error.connection_invalidated or state[:2] not in _THE_PREDICATES_FAULT:
            raise
        if len(conditions) > 1:
            refused: dict[str, str] = {}
            for name, each in conditions.items():
                refused |= _judge(connection, schema, object, {name: each})
            return refused
        return dict.fromkeys(conditions, f"the predicate does not fit this org's data (SQLSTATE {state})")
    return {}


_THE_PREDICATES_FAULT = ("42", "22", "21")  # syntax and types; values that cannot be computed; several rows for one


def _statement(schema: str, object: str, conditions: Mapping[str, str]) -> str:
    table, row = quoted(schema, object), quoted("row")
    if len(conditions) == 1:
        ((name, where),) = conditions.items()
        return (
            f"INSERT INTO sweep SELECT '{name}', '{object}', {row}.{quoted('Id')} FROM {table} AS {row}"
            f" WHERE {row}.{LIVE} AND {where}"
        )
    marks = ", ".join(f"CASE WHEN {where} THEN '{name}' END" for name, where in conditions.items())
    return (
        f"INSERT INTO sweep SELECT mark, '{object}', record_id FROM ("
        f"SELECT {row}.{quoted('Id')} AS record_id, ARRAY[{marks}] AS marks FROM {table} AS {row}"
        f" WHERE {row}.{LIVE} OFFSET 0) AS judged, unnest(marks) AS mark WHERE mark IS NOT NULL"
    )


def _run(connection: Connection, statement: str) -> None:
    """Execute a statement as it stands: neither % nor : in it stands for a parameter."""
    connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


_KNOWN = """
SELECT o.object, o.first_loaded_at IS NOT NULL AND bool_or(a.attname IS NOT NULL) AS loaded,
       coalesce(array_agg(a.attname::text) FILTER (WHERE a.attname IS NOT NULL), '{}') AS columns,
       (SELECT concat_ws(':', max(run_id), sum(rows)) FROM (
            SELECT run_id, inserted + updated AS rows FROM headwater.extract AS e
            WHERE e.org = o.org AND e.object = o.object AND inserted + updated > 0
            UNION ALL
            SELECT run_id, fetched + recalculated + vanished FROM headwater.reconciliation AS r
            WHERE r.org = o.org AND r.object = o.object AND fetched + recalculated + vanished > 0) AS w) AS version
FROM headwater.object AS o
JOIN headwater.field AS f ON f.org = o.org AND f.object = o.object AND f.gone_at IS NULL AND f.held_at IS NULL
LEFT JOIN pg_attribute AS a
       ON a.attrelid = to_regclass(format('%I.%I', CAST(:schema AS text), o.object)) AND a.attname = f.name
      AND a.attnum > 0 AND NOT a.attisdropped
WHERE o.org = :org
GROUP BY o.org, o.object, o.first_loaded_at"""

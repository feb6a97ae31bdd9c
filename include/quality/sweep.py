"""Find every record that fails a check, with set-based statements, in the snapshot of the assessment.

Checks that look at one row only are judged together in one pass over the table; a check that looks at other rows gets
a statement of its own, because PostgreSQL can only then plan it as a join.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from include.config.checks import CheckDefinition
from include.quality.catalogue import KnownObject
from include.quality.predicate import condition
from include.warehouse.engine import quoted
from include.warehouse.health.findings import Sweep
from include.warehouse.health.journals import LIVE
from include.warehouse.sqlstate import words_of


def known_objects(connection: Connection, org: str, schema: str) -> dict[str, KnownObject]:
    """Return what the warehouse has of the org: the fields that the org still describes and that have a column."""
    rows = connection.execute(text(_KNOWN), {"org": org, "schema": schema})
    return {
        row.object: KnownObject(loaded=row.loaded, columns=frozenset(row.columns), version=row.version) for row in rows
    }


def prepare(connection: Connection) -> None:
    """Set what the statements of an assessment run with, for this transaction."""
    connection.exec_driver_sql("SET LOCAL work_mem = '64MB'")
    connection.exec_driver_sql("SET LOCAL jit = off")


def fill(
    connection: Connection, sweep: Sweep, due: Sequence[CheckDefinition], *, schema: str, now: datetime, among: str = ""
) -> dict[str, str]:
    """Fill a sweep with the Ids that fail; return the checks that could not be judged, with the reason.

    A check that PostgreSQL refuses (a pattern on a number, a text that is no date) must not stop the others.

    Args:
        connection: the assessment's.
        sweep: takes the failing Ids.
        due: the checks to be judged.
        schema: where the org's tables are.
        now: the moment of the assessment.
        among: a table of the Ids to be judged, all of one object; "" for all live records.
    """
    refused: dict[str, str] = {}
    for object in sorted({check.object for check in due}):
        checks = [check for check in due if check.object == object and check.names_records]
        conditions = {check.check: condition(check.predicate, schema=schema, now=now) for check in checks}
        groups = [{name: conditions[name] for name in group} for group in _passes(checks)]
        rows = _Rows(schema=schema, object=object, among=among)
        if groups:
            refused |= _judge(connection, sweep, rows, groups)
    return refused


def _passes(checks: Sequence[CheckDefinition]) -> list[list[str]]:
    alone = [[check.check] for check in checks if check.predicate.reads_other_rows]
    together = [check.check for check in checks if not check.predicate.reads_other_rows]
    return ([together] if together else []) + alone


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Say which rows are judged."""

    schema: str
    object: str
    among: str

    @property
    def source(self) -> str:
        """Return them as FROM and WHERE."""
        row = quoted("row")
        only = f" AND {row}.{quoted('Id')} IN (SELECT record_id FROM {self.among})" if self.among else ""
        return f"FROM {quoted(self.schema, self.object)} AS {row} WHERE {row}.{LIVE}{only}"


def _judge(connection: Connection, sweep: Sweep, rows: _Rows, groups: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Store the failing Ids of some checks in one statement; if it is refused, try each group, then each check."""
    try:
        with connection.begin_nested():
            sweep.add(" UNION ALL ".join(f"({_query(rows, conditions)})" for conditions in groups))
    except DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None) or ""
        if error.connection_invalidated or state[:2] not in _THE_PREDICATES_FAULT:
            raise
        smaller = [[each] for each in groups] if len(groups) > 1 else [[{name: groups[0][name]}] for name in groups[0]]
        if len(smaller) == 1:
            return dict.fromkeys(groups[0], f"the predicate does not fit this org's data ({_why(error, state)})")
        refused: dict[str, str] = {}
        for each in smaller:
            refused |= _judge(connection, sweep, rows, each)
        return refused
    return {}


def _why(error: DBAPIError, state: str) -> str:
    """Return what PostgreSQL says of the predicate itself; of an error in computing it, no more than its name.

    Errors of class 42 are found before a row is read and quote the predicate; others may quote a value of a record.
    """
    said = getattr(getattr(error.orig, "diag", None), "message_primary", None) if state[:2] == "42" else None
    return f"{words_of(state)}: {said}" if said else words_of(state)


_THE_PREDICATES_FAULT = ("42", "22", "21")  # syntax and types; values that cannot be computed; several rows for one


def _query(rows: _Rows, conditions: Mapping[str, str]) -> str:
    key = f"{quoted('row')}.{quoted('Id')}"
    if len(conditions) == 1:
        ((name, where),) = conditions.items()
        return f"SELECT '{name}' AS check_id, '{rows.object}' AS object, {key} AS record_id {rows.source} AND {where}"
    marks = ", ".join(f"CASE WHEN {where} THEN '{name}' END" for name, where in conditions.items())
    return (
        f"SELECT unnest(marks) AS check_id, '{rows.object}' AS object, record_id FROM ("
        f"SELECT {key} AS record_id, array_remove(ARRAY[{marks}], NULL) AS marks {rows.source} OFFSET 0) AS judged"
        " WHERE cardinality(marks) > 0"
    )


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

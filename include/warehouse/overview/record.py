"""One record by its Id: its row, what is wrong with it, where it went, and which run brought it.

No table is read but by its key, and no ledger but by an index; values that must not be shown never leave the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from include.warehouse.engine import quoted, transaction
from include.warehouse.overview.record_past import (
    RecordError,
    RecordFinding,
    RecordOutcome,
    RecordRun,
    errors_of,
    findings_of,
    outcomes_of,
    run_of,
)
from include.warehouse.personal.fields import personal_fields

# An Id begins with its object's prefix. Rows that came by a query of the definition have the Ids of another object.
_OBJECTS = """
SELECT o.object, coalesce(o.label, '') AS label FROM headwater.object AS o
 WHERE o.org = :org AND (o.key_prefix = :prefix OR o.key_prefix IS NULL)
   AND to_regclass(format('%I.%I', CAST(:schema AS text), o.object)) IS NOT NULL
 ORDER BY o.key_prefix IS NULL, o.object
"""

_COLUMNS = """
SELECT a.attname::text AS name, coalesce(f.label, '') AS label, coalesce(f.type, '') AS type,
       f.gone_at, coalesce(f.reference_to, '{}') AS reference_to,
       EXISTS (SELECT FROM headwater.object AS o
                WHERE o.org = :org AND o.object = ANY(f.reference_to) AND o.described_at IS NOT NULL) AS held
  FROM pg_attribute AS a
  LEFT JOIN headwater.field AS f ON f.org = :org AND f.object = :object AND f.name = a.attname
 WHERE a.attrelid = to_regclass(:table) AND a.attnum > 0 AND NOT a.attisdropped
   AND a.attname NOT IN ('_loaded_at', '_run_id', '_deleted_at')
 ORDER BY f.gone_at IS NOT NULL, f.position NULLS LAST, a.attnum
"""

_REJECTED = """
SELECT cause, column_name, rejected_at FROM headwater.reject
 WHERE org = :org AND object = :object AND settled_at IS NULL AND record_id = :id
 ORDER BY reject_id DESC LIMIT 1
"""
LONGEST_VALUE = 2_000  # characters of a value that a page shows


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordValue:
    """Hold one field of a record; a masked one knows only whether it is filled."""

    name: str
    label: str
    type: str  # Salesforce's word; "": it was never described
    personal: bool
    filled: bool
    value: Any  # None: empty or masked
    gone_at: datetime | None  # the org no longer describes it; the value is the last one
    reference_to: tuple[str, ...]
    held: bool  # an object that it refers to is in the warehouse


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """Hold the row of a record as the warehouse has it; `merged_into` is the Id of the survivor of a merge, or ""."""

    object: str
    label: str
    values: tuple[RecordValue, ...]
    loaded_at: datetime
    deleted_at: datetime | None
    merged_into: str
    run: RecordRun | None
    rejected_at: datetime | None = None  # a newer version could not be stored
    rejected_cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOverview:
    """Hold all that is known of one Id; `row` is None when no table has it (any more)."""

    record_id: str
    row: RecordRow | None
    findings: tuple[RecordFinding, ...]
    outcomes: tuple[RecordOutcome, ...]
    errors: tuple[RecordError, ...]

    @property
    def known(self) -> bool:
        """Return whether anything is known of it."""
        return bool(self.row or self.findings or self.outcomes or self.errors)


def record_overview(engine: Engine, org: str, record_id: str, *, unmasked: bool) -> RecordOverview:
    """Return what is known of a record.

    Args:
        engine: the warehouse.
        org: whose.
        record_id: 18 characters.
        unmasked: whether to read the values of personal fields, too.
    """
    with transaction(engine) as connection:
        return RecordOverview(
            record_id=record_id,
            row=_row(connection, org, record_id, unmasked=unmasked),
            findings=findings_of(connection, org, record_id),
            outcomes=outcomes_of(connection, org, record_id),
            errors=errors_of(connection, org, record_id),
        )


def _row(connection: Connection, org: str, record_id: str, *, unmasked: bool) -> RecordRow | None:
    schema = f"salesforce_{org}"
    objects = connection.execute(text(_OBJECTS), {"org": org, "schema": schema, "prefix": record_id[:3]}).all()
    for object, label in objects:
        table = quoted(schema, object)
        columns = connection.execute(text(_COLUMNS), {"org": org, "object": object, "table": table}).all()
        if "Id" not in {each.name for each in columns}:
            continue
        register = personal_fields(connection, org, (object,))
        personal = {each.name for each in columns if register.is_personal(object, each.name)}
        found = _read(connection, table, columns, record_id, personal, unmasked=unmasked)
        if found is None:
            continue
        values, ours = found
        rejected = connection.execute(text(_REJECTED), {"org": org, "object": object, "id": record_id}).one_or_none()
        return RecordRow(
            object=object,
            label=label,
            values=values,
            loaded_at=ours["_loaded_at"],
            deleted_at=ours["_deleted_at"],
            merged_into=ours["merged_into"] or "",
            run=run_of(connection, ours["_run_id"]),
            rejected_at=rejected.rejected_at if rejected else None,
            rejected_cause=_cause(rejected.column_name, rejected.cause) if rejected else "",
        )
    return None


def _read(
    connection: Connection, table: str, columns: Any, record_id: str, personal: set[str], *, unmasked: bool
) -> tuple[tuple[RecordValue, ...], dict[str, Any]] | None:
    names = [each.name for each in columns]
    hidden = set() if unmasked else personal
    read = ", ".join(f"{'NULL' if name in hidden else quoted(name)}, {quoted(name)} IS NOT NULL" for name in names)
    merged = quoted("MasterRecordId") if "MasterRecordId" in names else "NULL"
    row = connection.exec_driver_sql(
        f"SELECT _loaded_at, _deleted_at, _run_id, {merged}, {read} FROM {table} WHERE {quoted('Id')} = %(id)s",
        {"id": record_id},
    ).one_or_none()
    if row is None:
        return None
    ours = dict(zip(("_loaded_at", "_deleted_at", "_run_id", "merged_into"), row[:4], strict=True))
    values = tuple(
        RecordValue(
            name=each.name,
            label=each.label,
            type=each.type,
            personal=each.name in personal,
            filled=row[5 + 2 * place],
            value=_shortened(row[4 + 2 * place]),
            gone_at=each.gone_at,
            reference_to=tuple(each.reference_to),
            held=each.held,
        )
        for place, each in enumerate(columns)
    )
    return values, ours


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        return f"{value[:LONGEST_VALUE]}… ({len(value):,} characters)"
    return value


def _cause(column: str, cause: str) -> str:
    return f"{column}: {cause}" if column else cause

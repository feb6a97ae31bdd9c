"""Say what pushes may select from: what the warehouse knows of an object, and how a source is put into SQL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from include.warehouse.engine import quoted


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceObject:
    """Hold what the warehouse knows of an object that records may come from.

    Args:
        object: its API name.
        columns: PostgreSQL types by column; empty when there is no table.
        gone: fields that the org no longer describes, with when that was seen.
        labels: API names by the label that people see.
        references: the objects that a reference field may point to.
        cursor_field: the field that says when a record last changed; "": there is none.
        first_loaded_at: when the first load was complete; None: it is not.
        types: Salesforce's word for the type of each field.
        unfilled: fields whose columns are new and lack the values of older records still.
    """

    object: str
    columns: Mapping[str, str]
    gone: Mapping[str, datetime]
    labels: Mapping[str, str]
    references: Mapping[str, tuple[str, ...]]
    cursor_field: str
    first_loaded_at: datetime | None
    types: Mapping[str, str] = field(default_factory=dict)
    unfilled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceQuery:
    """Hold the parts of a statement over a source, composed of quoted names and bound values only.

    Args:
        table: what stands behind FROM; its row is ``source``.
        joins: what it is joined with.
        key: an expression for the key of a row, as text.
        values: an expression for each field path.
        row_hash: an expression for the hash of the mapped columns; binds ``seed``.
        stamp: an expression for when the record last changed.
        alive: a condition that a record meets as long as it belongs to the source.
        there: a condition that a row meets when it was found at all.
        binds: the values in `alive`.
        filtered: `alive` may look at joined tables.
    """

    table: str
    key: str
    values: Mapping[str, str]
    row_hash: str
    stamp: str
    alive: str
    there: str
    joins: str = ""
    binds: Mapping[str, Any] = field(default_factory=dict)
    filtered: bool = False


def read_source_object(connection: Connection, *, org: str, schema: str, object: str) -> SourceObject:
    """Return what the warehouse knows of an object; one it knows nothing of has no columns."""
    fields = connection.execute(
        text(
            "SELECT name, label, type, reference_to, coalesce(gone_at, held_at) AS gone_at,"
            " unfilled_since IS NOT NULL AND EXISTS (SELECT FROM headwater.schema_change AS c WHERE c.org = f.org"
            " AND c.object = f.object AND c.field = f.name AND c.kind IN ('added', 'returned', 'type')"
            " AND coalesce(c.settled_at, c.seen_at) >= f.unfilled_since) AS unfilled"
            " FROM headwater.field AS f WHERE org = :org AND object = :object"
        ),
        {"org": org, "object": object},
    ).all()
    ledger = connection.execute(
        text("SELECT cursor_field, first_loaded_at FROM headwater.object WHERE org = :org AND object = :object"),
        {"org": org, "object": object},
    ).one_or_none()
    return SourceObject(
        object=object,
        columns=_columns(connection, quoted(schema, object)),
        gone={field.name: field.gone_at for field in fields if field.gone_at is not None},
        labels={field.label: field.name for field in fields},
        references={field.name: tuple(field.reference_to) for field in fields if field.reference_to},
        cursor_field=ledger.cursor_field if ledger else "SystemModstamp",
        first_loaded_at=ledger.first_loaded_at if ledger else None,
        types={field.name: field.type for field in fields},
        unfilled=frozenset(field.name for field in fields if field.unfilled),
    )


def columns_of_session(connection: Connection, table: str) -> dict[str, str]:
    """Return the columns of a table of this session, with their types."""
    return _columns(connection, quoted("pg_temp", table))


def _columns(connection: Connection, table: str) -> dict[str, str]:
    rows = connection.execute(
        text(
            "SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a"
            " WHERE a.attrelid = to_regclass(:table) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
        ),
        {"table": table},
    )
    return {str(name): str(kind) for name, kind in rows}

"""Keep what the org says about its objects and their fields."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, text

from include.records import Describe, Field
from include.warehouse.tables import cursor_field_of

_KEEP_OBJECT = text("""
    INSERT INTO headwater.object (org, object, label, key_prefix, cursor_field, last_modified, described_at)
    VALUES (:org, :object, :label, :key_prefix, :cursor_field, :last_modified, now())
    ON CONFLICT (org, object) DO UPDATE SET label = excluded.label, key_prefix = excluded.key_prefix,
        cursor_field = excluded.cursor_field, last_modified = excluded.last_modified, described_at = now()
""")

_KEEP_FIELD = text("""
    INSERT INTO headwater.field (org, object, position, name, label, type, length, precision, scale, nillable,
        calculated, custom, filterable, compound, reference_to, picklist, held_at)
    VALUES (:org, :object, :position, :name, :label, :type, :length, :precision, :scale, :nillable,
        :calculated, :custom, :filterable, :compound, :reference_to, :picklist, CASE WHEN :held THEN now() END)
    ON CONFLICT (org, object, name) DO UPDATE SET position = excluded.position, label = excluded.label,
        type = excluded.type, length = excluded.length, precision = excluded.precision, scale = excluded.scale,
        nillable = excluded.nillable, calculated = excluded.calculated, custom = excluded.custom,
        filterable = excluded.filterable, compound = excluded.compound, reference_to = excluded.reference_to,
        picklist = excluded.picklist, gone_at = NULL,
        returned_at = CASE WHEN field.gone_at IS NULL THEN field.returned_at ELSE now() END,
        held_at = CASE WHEN :held THEN coalesce(field.held_at, now()) END
""")

_MARK_GONE = text("""
    UPDATE headwater.field SET gone_at = now()
    WHERE org = :org AND object = :object AND gone_at IS NULL AND NOT name = ANY(:names)
""")


def keep_describe(connection: Connection, org: str, describe: Describe) -> None:
    """Store a describe; fields that it no longer names are marked as gone."""
    key = {"org": org, "object": describe.object}
    connection.execute(
        _KEEP_OBJECT,
        key
        | {
            "label": describe.label,
            "key_prefix": describe.key_prefix,
            "cursor_field": cursor_field_of(describe),
            "last_modified": describe.last_modified,
        },
    )
    rows = [key | {"position": position} | _row(field) for position, field in enumerate(describe.fields)]
    connection.execute(_KEEP_FIELD, rows)
    connection.execute(_MARK_GONE, key | {"names": [field.name for field in describe.fields]})


def stored_describe(connection: Connection, org: str, object: str) -> Describe | None:
    """Return the describe as it was last kept, without the fields that are gone; None before first contact."""
    key = {"org": org, "object": object}
    head = connection.execute(
        text(
            "SELECT label, key_prefix, last_modified FROM headwater.object"
            " WHERE org = :org AND object = :object AND described_at IS NOT NULL"
        ),
        key,
    ).one_or_none()
    if head is None:
        return None
    rows = connection.execute(
        text(
            "SELECT name, label, type, length, precision, scale, nillable, calculated, custom, filterable, compound,"
            " reference_to, picklist, held_at IS NOT NULL AS held FROM headwater.field"
            " WHERE org = :org AND object = :object AND gone_at IS NULL ORDER BY position, name"
        ),
        key,
    ).mappings()
    fields = tuple(
        Field(**{**row, "reference_to": tuple(row["reference_to"]), "picklist": tuple(row["picklist"])}) for row in rows
    )
    return Describe(
        object=object,
        label=head.label,
        key_prefix=head.key_prefix,
        fields=fields,
        last_modified=head.last_modified,
    )


def _row(field: Field) -> dict[str, object]:
    return {
        "name": field.name,
        "label": field.label,
        "type": field.type,
        "length": field.length,
        "precision": field.precision,
        "scale": field.scale,
        "nillable": field.nillable,
        "calculated": field.calculated,
        "custom": field.custom,
        "filterable": field.filterable,
        "compound": field.compound,
        "reference_to": list(field.reference_to),
        "picklist": list(field.picklist),
        "held": field.held,
    }


def note_unfilled(connection: Connection, org: str, object: str, names: Collection[str]) -> None:
    """Keep that columns lack the values of the records that were here before them."""
    connection.execute(
        text(
            "UPDATE headwater.field SET unfilled_since = coalesce(unfilled_since, now())"
            " WHERE org = :org AND object = :object AND name = ANY(:names)"
        ),
        {"org": org, "object": object, "names": list(names)},
    )


def unfilled_fields(connection: Connection, org: str, object: str) -> tuple[str, ...]:
    """Return the fields that are read and whose columns lack the values of older records."""
    rows = connection.execute(
        text(
            "SELECT name FROM headwater.field WHERE org = :org AND object = :object AND unfilled_since IS NOT NULL"
            " AND gone_at IS NULL AND held_at IS NULL ORDER BY position, name"
        ),
        {"org": org, "object": object},
    )
    return tuple(rows.scalars())


def note_all_read(connection: Connection, org: str, object: str, run_id: int) -> None:
    """Keep that a run that read everything brought every field, but for what came from an older, unfinished load."""
    connection.execute(
        text(
            "UPDATE headwater.field AS f SET unfilled_since = NULL WHERE f.org = :org AND f.object = :object"
            " AND f.unfilled_since IS NOT NULL AND NOT EXISTS (SELECT FROM headwater.slice AS s, headwater.run AS r"
            " WHERE r.run_id = :run_id AND s.org = f.org AND s.object = f.object AND s.closed_at >= r.started_at"
            " AND s.opened_at < f.unfilled_since)"
        ),
        {"org": org, "object": object, "run_id": run_id},
    )


def note_filled(connection: Connection, org: str, object: str, names: Collection[str]) -> None:
    """Keep that columns have the values of every record, in the transaction that brought them."""
    connection.execute(
        text(
            "UPDATE headwater.field SET unfilled_since = NULL"
            " WHERE org = :org AND object = :object AND name = ANY(:names)"
        ),
        {"org": org, "object": object, "names": list(names)},
    )

"""The register of personal fields as the page shows it: objects, the fields of one, and the trail of decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text

from include.warehouse.engine import transaction
from include.warehouse.personal.audit import OF_READERS
from include.warehouse.personal.suggestions import FieldContent, Suggestion, suggest

# A field that the org no longer describes needs no decision; its values stay personal unless somebody decides.
_OBJECTS = """
SELECT r.object, coalesce(o.label, '') AS label, count(*) FILTER (WHERE gone_at IS NULL) AS fields,
       count(*) FILTER (WHERE gone_at IS NULL AND state IN ('undecided', 'lapsed')) AS undecided,
       count(*) FILTER (WHERE gone_at IS NULL AND state IN ('personal', 'plain')) AS decided,
       count(*) FILTER (WHERE gone_at IS NULL AND personal) AS personal, max(decided_at) AS decided_at
  FROM headwater.field_register AS r LEFT JOIN headwater.object AS o ON o.org = r.org AND o.object = r.object
 WHERE r.org = :org AND (:search = '' OR position(lower(:search) IN lower(concat_ws(' ', r.object, o.label))) > 0)
 GROUP BY r.object, o.label
"""
OBJECT_SORTS: Mapping[str, str] = {
    "undecided": "undecided {way}, object",
    "object": "object {way}",
    "fields": "fields {way}, object",
    "personal": "personal {way}, object",
    "decided": "decided_at {way} NULLS LAST, object",
}

_FIELDS = """
  FROM headwater.field AS f
  JOIN headwater.field_register AS r ON r.org = f.org AND r.object = f.object AND r.field = f.name
  LEFT JOIN headwater.field_content AS c ON c.org = f.org AND c.object = f.object AND c.field = f.name
 WHERE f.org = :org AND f.object = :object
   AND (:search = '' OR position(lower(:search) IN lower(concat_ws(' ', f.name, f.label, f.type))) > 0)
   AND (:state = '' OR r.state = :state OR (:state = 'undecided' AND r.state = 'lapsed')
        OR (:state = 'gone' AND f.gone_at IS NOT NULL))
"""
FIELD_SORTS: Mapping[str, str] = {
    "position": "f.gone_at IS NOT NULL, f.position {way}, f.name",
    "name": "f.name {way}",
    "label": "f.label {way}, f.name",
    "type": "f.type {way}, f.name",
    "state": "r.state {way}, f.name",
    "filled": "c.filled::float / nullif(c.sampled, 0) {way} NULLS LAST, f.name",
}
STATES = ("undecided", "personal", "plain", "fixed", "gone")

_LAST_CHANGES = """
SELECT DISTINCT ON (field) field, kind, seen_at FROM headwater.schema_change
 WHERE org = :org AND object = :object AND field = ANY(:fields) ORDER BY field, change_id DESC
"""

_TRAIL = """
  FROM headwater.audit
 WHERE org = :org AND (:object = '' OR object = :object) AND (:readers OR NOT what = ANY(:of_readers))
   AND (:search = '' OR position(lower(:search) IN lower(concat_ws(' ', who, what, object, field, before, after))) > 0)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldsOfObject:
    """Count what is decided about the fields of an object; `decided_at` is when a person last decided."""

    object: str
    label: str
    fields: int
    undecided: int
    decided: int
    personal: int
    decided_at: datetime | None

    @property
    def review(self) -> str:
        """Return whether people decided about all of its fields, some of them, or none."""
        if not self.undecided:
            return "reviewed"
        return "partly reviewed" if self.decided else "unreviewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredField:
    """Hold a field with what people decided about it, what is suggested, and how it last changed."""

    name: str
    label: str
    type: str
    length: int
    nillable: bool
    calculated: bool
    state: str
    personal: bool
    decided_by: str
    decided_at: datetime | None
    first_seen_at: datetime
    gone_at: datetime | None
    sampled: int | None
    filled: int | None
    suggestion: Suggestion | None
    changed: str  # the kind of its last change; "" when it never changed
    changed_at: datetime | None

    @property
    def filled_share(self) -> float | None:
        """Return the share of the sampled rows that have a value."""
        return self.filled / self.sampled if self.sampled and self.filled is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """Hold one line of the audit trail."""

    audit_id: int
    at: datetime
    who: str
    what: str
    object: str
    field: str
    before: str
    after: str


def registered_objects(
    engine: Engine, org: str, *, search: str = "", sort: str = "undecided", descending: bool = True,
    limit: int = 50, offset: int = 0,
) -> tuple[tuple[FieldsOfObject, ...], int]:  # fmt: skip
    """Return a page of the objects whose fields are known, and how many there are in all."""
    bound = {"org": org, "search": search, "limit": limit, "offset": offset}
    order = OBJECT_SORTS[sort].format(way="DESC" if descending else "ASC")
    with transaction(engine) as connection:
        # Counted along with the page: the register of every field is read once.
        counted = f"SELECT known.*, count(*) OVER () AS total FROM ({_OBJECTS}) AS known"
        page = text(f"{counted} ORDER BY {order} LIMIT :limit OFFSET :offset")
        rows = connection.execute(page, bound).mappings().all()
        if not rows and offset:
            total = connection.execute(text(f"SELECT count(*) FROM ({_OBJECTS}) AS known"), bound).scalar_one()
            return (), total
        found = tuple(FieldsOfObject(**{name: row[name] for name in row if name != "total"}) for row in rows)
        return found, rows[0]["total"] if rows else 0


def registered_object(engine: Engine, org: str, object: str) -> FieldsOfObject | None:
    """Return what is decided about an object; None when none of its fields is known."""
    with transaction(engine) as connection:
        statement = text(f"SELECT * FROM ({_OBJECTS}) AS known WHERE object = :object")
        row = connection.execute(statement, {"org": org, "search": "", "object": object}).mappings().one_or_none()
        return FieldsOfObject(**row) if row else None


def registered_fields(
    engine: Engine, org: str, object: str, *, search: str = "", state: str = "", sort: str = "position",
    descending: bool = False, limit: int = 50, offset: int = 0,
) -> tuple[tuple[RegisteredField, ...], int]:  # fmt: skip
    """Return a page of the fields of an object, and how many match."""
    bound = {"org": org, "object": object, "search": search, "state": state, "limit": limit, "offset": offset}
    order = FIELD_SORTS[sort].format(way="DESC" if descending else "ASC")
    with transaction(engine) as connection:
        total = connection.execute(text(f"SELECT count(*) {_FIELDS}"), bound).scalar_one()
        rows = connection.execute(text(f"{_COLUMNS} {_FIELDS} ORDER BY {order} LIMIT :limit OFFSET :offset"), bound)
        found = rows.all()
        changes = _last_changes(connection, org, object, [row.name for row in found])
        return tuple(_field(object, row, changes) for row in found), total


_COLUMNS = """
SELECT f.name, f.label, f.type, f.length, f.nillable, f.calculated, f.reference_to, f.first_seen_at, f.gone_at,
       r.state, r.personal, coalesce(r.decided_by, '') AS decided_by, r.decided_at, c.sampled, c.filled, c.looks_like
"""


def suggestions(connection: Connection, org: str, object: str) -> dict[str, Suggestion]:
    """Return what is suggested about each field of an object on which nobody decided."""
    bound = {"org": org, "object": object, "search": "", "state": "undecided"}
    rows = connection.execute(text(f"{_COLUMNS} {_FIELDS} AND f.gone_at IS NULL"), bound).all()
    found = {row.name: _suggestion(object, row) for row in rows}
    return {name: each for name, each in found.items() if each is not None}


def audit_trail(
    engine: Engine, org: str, *, object: str = "", search: str = "", limit: int = 50, offset: int = 0,
    before: int | None = None, readers: bool = False,
) -> tuple[tuple[AuditLine, ...], int]:  # fmt: skip
    """Return a page of the audit trail of an org, newest first (those before `before`), and how many lines match.

    `readers`: also the lines that tell which of us looked at whom.
    """
    bound = {"org": org, "object": object, "search": search, "limit": limit, "offset": offset, "before": before}
    bound |= {"readers": readers, "of_readers": list(OF_READERS)}
    older = "" if before is None else " AND audit_id < :before"
    with transaction(engine) as connection:
        total = connection.execute(text(f"SELECT count(*) {_TRAIL}"), bound).scalar_one()
        rows = connection.execute(
            text(
                f"SELECT audit_id, at, who, what, object, field, before, after {_TRAIL}{older}"
                " ORDER BY audit_id DESC LIMIT :limit OFFSET :offset"
            ),
            bound,
        ).mappings()
        return tuple(AuditLine(**row) for row in rows), total


def _last_changes(
    connection: Connection, org: str, object: str, fields: Sequence[str]
) -> dict[str, tuple[str, datetime]]:
    rows = connection.execute(text(_LAST_CHANGES), {"org": org, "object": object, "fields": list(fields)})
    return {row.field: (row.kind, row.seen_at) for row in rows}


def _field(object: str, row: Any, changes: Mapping[str, tuple[str, datetime]]) -> RegisteredField:
    changed, changed_at = changes.get(row.name, ("", None))
    return RegisteredField(
        name=row.name,
        label=row.label,
        type=row.type,
        length=row.length,
        nillable=row.nillable,
        calculated=row.calculated,
        state=row.state,
        personal=row.personal,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        first_seen_at=row.first_seen_at,
        gone_at=row.gone_at,
        sampled=row.sampled,
        filled=row.filled,
        suggestion=None if row.state == "fixed" else _suggestion(object, row),
        changed=changed,
        changed_at=changed_at,
    )


def _suggestion(object: str, row: Any) -> Suggestion | None:
    content = None if row.filled is None else FieldContent(filled=row.filled, looks_like=row.looks_like)
    return suggest(
        object, row.name, label=row.label, type=row.type, reference_to=tuple(row.reference_to), content=content
    )

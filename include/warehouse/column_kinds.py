"""Read which columns an object's table has, and of which kind their values are."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from include.exports.columns import Column, Kind
from include.warehouse.engine import quoted
from include.warehouse.personal.fields import personal_fields

_KINDS: dict[str, Kind] = {
    "boolean": "boolean",
    "integer": "integer",
    "bigint": "integer",
    "numeric": "number",
    "date": "date",
    "timestamp with time zone": "datetime",
    "time without time zone": "time",
}

_COLUMNS = """
SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type
  FROM pg_attribute AS a
  LEFT JOIN headwater.field AS f ON f.org = :org AND f.object = :object AND f.name = a.attname
 WHERE a.attrelid = to_regclass(:table) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY f.position, a.attnum
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    """Hold a column of an object's table, and whether its values may be a person's."""

    name: str
    kind: Kind
    personal: bool

    @property
    def exported(self) -> Column:
        """Return it as a column of an export."""
        return Column(name=self.name, kind=self.kind)


def columns_of(connection: Connection, org: str, object: str) -> tuple[TableColumn, ...]:
    """Return the columns of an object's table, in the org's order; none when there is no table."""
    register = personal_fields(connection, org, (object,))
    rows = connection.execute(
        text(_COLUMNS), {"org": org, "object": object, "table": quoted(f"salesforce_{org}", object)}
    )
    return tuple(
        TableColumn(name=row.name, kind=kind_of(row.type), personal=register.is_personal(object, row.name))
        for row in rows
    )


def kind_of(type: str) -> Kind:
    """Return the kind of the values of a PostgreSQL type."""
    return _KINDS.get(type, "text")

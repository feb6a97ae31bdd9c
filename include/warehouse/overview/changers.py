"""Who changed an org's records in the last 24 hours, as far as the copy knows: where a spike of calls comes from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text

from include.warehouse.engine import quoted, transaction

# Rows of one table that are looked at; after a mass update "at least so many" says enough.
MOST_ROWS = 100_000
_SHOWN = 10

_TABLES = """
SELECT c.table_schema, c.table_name FROM information_schema.columns AS c
  JOIN headwater.object AS o ON o.org = :org AND o.object = c.table_name AND o.first_loaded_at IS NOT NULL
 WHERE c.table_schema = :schema AND c.column_name IN ('LastModifiedById', 'SystemModstamp')
 GROUP BY 1, 2 HAVING count(*) = 2 ORDER BY 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changer:
    """Say how many records of an object a user changed last, within 24 hours; a record counts once."""

    object: str
    user_id: str
    records: int
    last_at: datetime


def record_changers(engine: Engine, org: str) -> tuple[Changer, ...]:
    """Return which users changed most records of the last 24 hours, by object; apps are users, too."""
    with transaction(engine) as connection:
        tables = connection.execute(text(_TABLES), {"org": org, "schema": f"salesforce_{org}"}).all()
        if not tables:
            return ()
        parts = [
            f"SELECT CAST(:object{n} AS text) AS object, user_id, count(*) AS records, max(changed_at) AS last_at"
            f' FROM (SELECT "LastModifiedById" AS user_id, "SystemModstamp" AS changed_at'
            f" FROM {quoted(schema, name)} WHERE \"SystemModstamp\" >= now() - interval '24 hours'"
            f" LIMIT {MOST_ROWS}) AS changed WHERE user_id IS NOT NULL GROUP BY user_id"
            for n, (schema, name) in enumerate(tables)
        ]
        rows = connection.execute(
            text(f"{' UNION ALL '.join(parts)} ORDER BY records DESC, object, user_id LIMIT {_SHOWN}"),
            {f"object{n}": name for n, (_, name) in enumerate(tables)},
        ).mappings()
        return tuple(Changer(**row) for row in rows)

"""Count what a sample of each field's values looks like: in the database, of which only counts leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

import orjson
from sqlalchemy import Connection, Engine, text

from include.warehouse.engine import quoted, transaction

ROWS = 1_000  # of a table are looked at, whatever its size
KEPT = timedelta(days=7)
_COLUMNS_AT_ONCE = 50  # a statement has so many columns; PostgreSQL takes 1,664 results
_SECONDS = 30

# Of a trimmed value. What matches by chance is outweighed by the share that has to match.
_LIKE: Mapping[str, str] = {
    "email": r"<v> ~ '^[^@\s]+@[^@\s]+\.[^@\s]{2,}$'",
    "mentions_email": r"<v> ~ '\s' AND <v> ~ '[^@\s]@[^@\s]+\.[A-Za-z]{2,}'",
    "phone": r"<v> ~ '^(\+|0|\()[0-9 ()./-]{6,20}$|^[0-9]{2,4}[ ./-][0-9]{3,4}[ ./-]?[0-9]{3,4}$'"
    r" AND <v> !~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}' AND <v> ~ '([0-9].*){7}'",
    "ip": r"<v> ~ '^([0-9]{1,3}\.){3}[0-9]{1,3}$|^([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}$'"
    r" OR <v> ~ '^[0-9A-Fa-f:]*::[0-9A-Fa-f:]*$'",
    "iban": r"<v> ~ '^[A-Z]{2}[0-9]{2}( ?[A-Z0-9]{4}){2,7}( ?[A-Z0-9]{1,3})?$'",
    "card": r"<v> ~ '^[0-9]{4}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{4}$'",
    # USA, United Kingdom, Spain, Italy, Brazil, Sweden, France.
    "national_id": r"<v> ~ '^[0-9]{3}-[0-9]{2}-[0-9]{4}$|^[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]$"
    r"|^[0-9XYZ][0-9]{7}-?[A-Z]$|^[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]$"
    r"|^[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}$|^[0-9]{6}[-+][0-9]{4}$"
    r"|^[12] ?[0-9]{2} ?(0[1-9]|1[0-2]) ?[0-9]{2} ?[0-9]{3} ?[0-9]{3}( ?[0-9]{2})?$'",
}
_NAME = """length("LastName") > 2 AND position(lower("LastName") IN lower(<v>)) > 0"""

_TABLE = """
SELECT a.attname::text AS name, format_type(a.atttypid, NULL) IN ('text', 'character varying') AS is_text,
       (SELECT greatest(reltuples, 1) FROM pg_class WHERE oid = a.attrelid) AS rows
  FROM pg_attribute AS a
  JOIN headwater.field AS f ON f.org = :org AND f.object = :object AND f.name = a.attname
 WHERE a.attrelid = to_regclass(:table) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_KEEP = text("""
INSERT INTO headwater.field_content (org, object, field, sampled, filled, looks_like)
VALUES (:org, :object, :field, :sampled, :filled, CAST(:looks_like AS jsonb))
ON CONFLICT (org, object, field) DO UPDATE SET sampled = excluded.sampled, filled = excluded.filled,
    looks_like = excluded.looks_like, sampled_at = now()
""")
# Whose fields are newer than what is known of their values, or whose values nobody looked at for long.
_STALE = """
SELECT o.object FROM headwater.object AS o
 WHERE o.org = :org AND o.first_loaded_at IS NOT NULL
   AND EXISTS (SELECT FROM headwater.field AS f
     LEFT JOIN headwater.field_content AS c ON c.org = f.org AND c.object = f.object AND c.field = f.name
    WHERE f.org = o.org AND f.object = o.object AND f.gone_at IS NULL AND f.held_at IS NULL
      AND EXISTS (SELECT FROM pg_attribute AS a
                   WHERE a.attrelid = to_regclass(format('%I.%I', CAST(:schema AS text), o.object))
                     AND a.attname = f.name AND NOT a.attisdropped)
      AND (c.field IS NULL OR c.sampled_at < now() - :kept))
 ORDER BY o.object
"""


def sample_stale_contents(engine: Engine, org: str) -> tuple[str, ...]:
    """Look at the values of objects that have new fields, or whose values nobody looked at for a week; return which."""
    with transaction(engine) as connection:
        stale = connection.execute(text(_STALE), {"org": org, "schema": f"salesforce_{org}", "kept": KEPT}).scalars()
        objects = tuple(stale)
    for object in objects:
        sample_contents(engine, org, object)
    return objects


def sample_contents(engine: Engine, org: str, object: str) -> int:
    """Look at a sample of an object's rows and keep what the values of each field look like; return how many rows."""
    table = quoted(f"salesforce_{org}", object)
    sampled = 0
    with transaction(engine) as connection:
        connection.execute(text(f"SET LOCAL statement_timeout = '{_SECONDS}s'"))
        columns = connection.execute(text(_TABLE), {"org": org, "object": object, "table": table}).all()
        # Three times the pages that the rows would need, because some are deleted; the limit ends it.
        share = min(100.0, 300.0 * ROWS / columns[0].rows) if columns else 100.0
        named = "LastName" in {each.name for each in columns}
        for part in _parts(columns):
            counts = _counted(connection, table, part, share, named=named)
            sampled = counts["sampled"]
            for place, (name, _) in enumerate(part):
                found = {kind: counts[f"{kind}_{place}"] for kind in (*_LIKE, "name") if counts.get(f"{kind}_{place}")}
                row = {"org": org, "object": object, "field": name, "sampled": sampled}
                like = orjson.dumps(found).decode()
                connection.execute(_KEEP, row | {"filled": counts[f"filled_{place}"], "looks_like": like})
    return sampled


def _parts(columns: Sequence[tuple[str, bool, float]]) -> Iterator[list[tuple[str, bool]]]:
    for start in range(0, len(columns), _COLUMNS_AT_ONCE):
        yield [(name, is_text) for name, is_text, _ in columns[start : start + _COLUMNS_AT_ONCE]]


def _counted(
    connection: Connection, table: str, columns: Sequence[tuple[str, bool]], share: float, *, named: bool
) -> Mapping[str, int]:
    wanted = ["count(*) AS sampled"]
    for place, (name, is_text) in enumerate(columns):
        value = f"btrim({quoted(name)})"
        filled = f"{quoted(name)} <> ''" if is_text else f"{quoted(name)} IS NOT NULL"
        wanted.append(f"count(*) FILTER (WHERE {filled}) AS filled_{place}")
        if not is_text:
            continue
        like = dict(_LIKE) | ({"name": _NAME} if named and name != "LastName" else {})
        wanted += [
            f"count(*) FILTER (WHERE {condition.replace('<v>', value)}) AS {kind}_{place}"
            for kind, condition in like.items()
        ]
    needed = {name for name, _ in columns} | ({"LastName"} if named else set())
    rows = (
        f"SELECT {', '.join(quoted(each) for each in sorted(needed))} FROM {table}"
        f" TABLESAMPLE SYSTEM ({share:.6f}) WHERE _deleted_at IS NULL LIMIT {ROWS}"
    )
    statement = f"SELECT {', '.join(wanted)} FROM ({rows}) AS sample"
    found = connection.exec_driver_sql(statement.replace("%", "%%")).mappings().one()
    return {name: int(value) for name, value in found.items()}

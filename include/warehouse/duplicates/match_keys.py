"""Keep by which keys an object's records are compared, in the transaction that changes the records.

Triggers on the object's table do it, a statement at a time: whoever writes a row, a load, a comparison with the org or
a person at a prompt, its keys follow. They stop no load: if the keys cannot be made any more, because a column went,
the set is marked and made anew before it is next used.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import Connection, text

from include.warehouse.brief_lock import brief_lock
from include.warehouse.duplicates.match_layout import Layout
from include.warehouse.engine import driver, quoted

_EVENTS = {"insert": "NEW TABLE AS fresh", "update": "NEW TABLE AS fresh", "delete": "OLD TABLE AS stale"}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySet:
    """Name the keys of an object, the layout they have, and whether every record must be compared."""

    set_id: int
    org: str
    object: str
    layout: Layout
    whole: bool
    state: int

    @property
    def table(self) -> str:
        """Return the name of the table of keys, for SQL."""
        return keys_table(self.set_id)


def keys_table(set_id: int) -> str:
    """Return the name of a table of keys, for SQL."""
    return f"headwater.match_keys_{set_id}"


def column_types(connection: Connection, schema: str, object: str) -> dict[str, str]:
    """Return the type of each column of an object's table; empty when there is no table."""
    rows = connection.execute(
        text(
            "SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute"
            " WHERE attrelid = to_regclass(:name) AND attnum > 0 AND NOT attisdropped"
        ),
        {"name": quoted(schema, object)},
    )
    return {str(name): str(type) for name, type in rows}


def keep_keys(connection: Connection, org: str, schema: str, object: str, layout: Layout, rules: str) -> KeySet:
    """See to it that the keys of an object are there and of this layout, and return them; call it in a transaction.

    They are made for all records when there are none yet, when the layout is another, or when they were marked.

    Args:
        connection: an open transaction; making keys waits for whoever writes the object's table.
        org: whose.
        schema: where the org's tables are.
        object: which.
        layout: how keys are made.
        rules: what pairs follow from beside the keys; another value than last time: every record is compared.

    Raises:
        TableBusy: the object is being loaded just now.
    """
    named = {"org": org, "object": object}
    row = connection.execute(text(_FIND), named).one_or_none() or connection.execute(text(_OPEN), named).one()
    table = quoted(schema, object)
    places = _places(connection, table, layout)
    version = f"{layout.version(driver(connection).info.server_version // 10_000)} {places}"
    if row.built_at is None or row.version != version or not _in_place(connection, table, row.set_id):
        _build(connection, table, row.set_id, layout)
        connection.execute(text(_BUILT), {"set_id": row.set_id, "version": version})
    elif row.rules != rules:
        connection.execute(
            text("UPDATE headwater.match_set SET matched_at = NULL WHERE set_id = :id"), {"id": row.set_id}
        )
    connection.execute(
        text("UPDATE headwater.match_set SET rules = :rules WHERE set_id = :id AND rules <> :rules"),
        {"id": row.set_id, "rules": rules},
    )
    now = connection.execute(
        text("SELECT matched_at IS NULL AS whole, state FROM headwater.match_set WHERE set_id = :id"),
        {"id": row.set_id},
    ).one()
    return KeySet(set_id=row.set_id, org=org, object=object, layout=layout, whole=bool(now.whole), state=int(now.state))


_FIND = """
SELECT set_id, version, rules, built_at FROM headwater.match_set WHERE org = :org AND object = :object"""

_OPEN = """
INSERT INTO headwater.match_set (org, object) VALUES (:org, :object)
ON CONFLICT (org, object) DO UPDATE SET org = excluded.org RETURNING set_id, version, rules, built_at"""

_BUILT = """
UPDATE headwater.match_set SET version = :version, built_at = now(), matched_at = NULL WHERE set_id = :set_id"""


def drop_keys(connection: Connection, org: str, object: str = "") -> None:
    """Drop the keys of an object, or of all of an org's, and what other objects have in common with it.

    Call it after the object's table was dropped, and its triggers with it.
    """
    if not connection.execute(text("SELECT to_regclass('headwater.match_set') IS NOT NULL")).scalar_one():
        return
    named = {"org": org, "object": object}
    for set_id in connection.execute(text(_SETS), named).scalars().all():
        driver(connection).execute(_sql(f"DROP TABLE IF EXISTS {keys_table(set_id)}"))
        driver(connection).execute(_sql(f"DROP FUNCTION IF EXISTS headwater.keep_match_keys_{set_id}"))
    connection.execute(text(_DROP_LINKS), named)
    connection.execute(text("DELETE FROM headwater.duplicate_link WHERE org = :org AND other_object = :object"), named)


_SETS = """
SELECT set_id FROM headwater.match_set WHERE org = :org AND strpos(object, '>') = 0 AND :object IN ('', object)"""

_DROP_LINKS = """
DELETE FROM headwater.match_set WHERE org = :org AND strpos(object, '>') > 0
AND (:object = '' OR :object IN (split_part(object, '>', 1), split_part(object, '>', 2)))"""


def _places(connection: Connection, table: str, layout: Layout) -> str:
    """Return where the columns are that keys are made of: that one was made anew is told by no trigger."""
    said = layout.select("rows")
    columns = connection.execute(text(_COLUMNS), {"table": table})
    return " ".join(f"{number}:{type}" for number, type, name in columns if f"t.{quoted(name)}" in said)


_COLUMNS = """
SELECT attnum, atttypid::bigint, attname::text FROM pg_attribute
WHERE attrelid = to_regclass(:table) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""


def _in_place(connection: Connection, table: str, set_id: int) -> bool:
    """Return whether the keys and the triggers that keep them are there: tables may have been made anew meanwhile."""
    return bool(
        connection.execute(
            text(
                "SELECT to_regclass(:keys) IS NOT NULL AND 5 = (SELECT count(*) FROM pg_trigger"
                " WHERE tgrelid = to_regclass(:table) AND tgenabled <> 'D' AND tgname LIKE :name)"
            ),
            {"keys": keys_table(set_id), "table": table, "name": f"headwater\\_keys\\_{set_id}\\_%"},
        ).scalar_one()
    )


def _build(connection: Connection, table: str, set_id: int, layout: Layout) -> None:
    keys = keys_table(set_id)
    run = driver(connection).execute
    columns = ", ".join(f"{quoted(column.name)} {column.type}" for column in layout.columns)
    # The object's table before its keys, as whoever writes a record takes them: in the other order both would wait.
    with brief_lock(connection, table):
        connection.exec_driver_sql(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
    run(_sql(f"DROP TABLE IF EXISTS {keys}"))
    run(_sql(f"CREATE TABLE {keys} (record_id text NOT NULL, gone boolean NOT NULL, due boolean NOT NULL, {columns})"))
    _put_triggers(connection, table, set_id, layout)
    run(_sql("SET LOCAL jit = off"))
    names = ", ".join(map(quoted, layout.names))
    run(
        _sql(
            f"INSERT INTO {keys} (record_id, gone, due, {names})"
            f" SELECT record_id, gone, false, {names} FROM ({layout.select(table)}) AS made WHERE NOT gone"
        )
    )
    run(_sql("SET LOCAL maintenance_work_mem = '128MB'"))
    run(_sql(f"ALTER TABLE {keys} ADD PRIMARY KEY (record_id)"))
    for block in layout.blocks:
        run(_sql(f"CREATE INDEX ON {keys} ({quoted(block)}) WHERE {quoted(block)} IS NOT NULL"))
    run(_sql(f"CREATE INDEX ON {keys} (record_id) WHERE due"))
    run(_sql(f"ANALYZE {keys}"))


def _put_triggers(connection: Connection, table: str, set_id: int, layout: Layout) -> None:
    function = f"headwater.keep_match_keys_{set_id}"
    run = driver(connection).execute
    run(_sql(_function(function, set_id, layout)))
    for event, rows in _EVENTS.items():
        run(
            _sql(
                f"CREATE OR REPLACE TRIGGER headwater_keys_{set_id}_{event} AFTER {event} ON {table}"
                f" REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            )
        )
    key = quoted(layout.key)
    run(
        _sql(  # No load does that, a person may. It runs before the trigger of the statement, which makes the new key.
            f"CREATE OR REPLACE TRIGGER headwater_keys_{set_id}_renamed AFTER UPDATE ON {table}"
            f" FOR EACH ROW WHEN (OLD.{key} IS DISTINCT FROM NEW.{key}) EXECUTE FUNCTION {function}()"
        )
    )
    run(
        _sql(
            f"CREATE OR REPLACE TRIGGER headwater_keys_{set_id}_truncate AFTER TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
    )


def _function(name: str, set_id: int, layout: Layout) -> str:
    """Return the function that the triggers call, with the rights of its owner whoever writes the table."""
    keys, key = keys_table(set_id), quoted(layout.key)
    names = list(map(quoted, layout.names))
    listed = ", ".join(names)
    assigned = ", ".join(f"{each} = excluded.{each}" for each in names)
    emptied = ", ".join(f"{each} = NULL" for each in names)
    here, there = (", ".join(f"{alias}.{each}" for each in ["gone", *names]) for alias in ("k", "excluded"))
    return f"""
        CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $headwater$
        BEGIN
            IF TG_OP = 'TRUNCATE' THEN
                UPDATE headwater.match_set SET built_at = NULL WHERE set_id = {set_id};
            ELSIF TG_LEVEL = 'ROW' THEN
                UPDATE {keys} SET gone = true, due = true, {emptied} WHERE record_id = OLD.{key};
            ELSIF TG_OP = 'DELETE' THEN
                UPDATE {keys} SET gone = true, due = true, {emptied}
                WHERE record_id IN (SELECT {key} FROM stale);
            ELSE
                INSERT INTO {keys} AS k (record_id, gone, due, {listed})
                SELECT record_id, gone, true, {listed} FROM ({layout.select("fresh")}) AS made
                ON CONFLICT (record_id) DO UPDATE SET gone = excluded.gone, due = true, {assigned}
                WHERE ROW({here}) IS DISTINCT FROM ROW({there});
            END IF;
            RETURN NULL;
        EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception THEN
            -- A column went or became another: the rows matter more, and the keys are made anew before they are used.
            UPDATE headwater.match_set SET built_at = NULL WHERE set_id = {set_id};
            RETURN NULL;
        END
        $headwater$"""


def _sql(statement: str) -> sql.SQL:
    return sql.SQL(statement)

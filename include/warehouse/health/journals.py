"""Keep a journal of each object that health looks at: which rows were written, and what they said before.

Triggers on the object's table write it, a statement at a time, in the transaction that changes the rows: whoever loads,
compares, fills, deletes or edits by hand, nothing is missed. They stop no load: what cannot be written down gives the
journal another number, and whoever relied on it reads the whole table once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from psycopg import sql
from sqlalchemy import Connection, Row, text

from include.warehouse.brief_lock import brief_lock
from include.warehouse.engine import driver, quoted

LIVE = '"_deleted_at" IS NULL'  # a record that Salesforce still has
_EVENTS = {
    "insert": "NEW TABLE AS fresh",
    "update": "OLD TABLE AS stale NEW TABLE AS fresh",
    "delete": "OLD TABLE AS stale",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Say what a journal must keep: old values of these fields, and how many live records meet each condition."""

    fields: frozenset[str]
    conditions: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """Name an object's journal, what it keeps, and its number: while that is the same, no write is missing in it."""

    journal_id: int
    number: int
    fields: frozenset[str]
    conditions: tuple[str, ...]

    @property
    def table(self) -> str:
        """Return the name of the table of written rows, for SQL."""
        return _table(self.journal_id)

    def keeps(self, wanted: Wanted) -> bool:
        """Return whether nothing that is wanted is left out."""
        return wanted.fields <= self.fields and wanted.conditions <= set(self.conditions)


def journals_of(connection: Connection, org: str, schema: str) -> dict[str, Journal]:
    """Return the journals of an org's objects that are kept now; one whose triggers or columns went is none."""
    found: dict[str, Journal] = {}
    for row in connection.execute(text(_FIND), {"org": org, "schema": schema}):
        fields = frozenset(row.fields)
        if row.version and row.version == _version(row, fields):
            found[row.object] = Journal(
                journal_id=row.journal_id, number=row.number, fields=fields, conditions=tuple(row.conditions)
            )
    return found


def begin_journal(connection: Connection, org: str, schema: str, object: str, wanted: Wanted) -> None:
    """Begin the journal of an object anew; call it in a transaction of its own.

    Raises:
        TableBusy: the object is being loaded just now.
    """
    table = quoted(schema, object)
    # The object's table before its journal, as whoever writes a record takes them: otherwise both would wait.
    with brief_lock(connection, table):
        connection.exec_driver_sql(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
    journal_id = connection.execute(text(_OPEN), {"org": org, "object": object}).scalar_one()
    fields, conditions = sorted(wanted.fields), sorted(wanted.conditions)
    run = driver(connection).execute
    kept = "".join(f", {quoted(name)}" for name in fields)
    run(_sql(f"DROP TABLE IF EXISTS {_table(journal_id)}"))
    run(
        _sql(
            f'CREATE TABLE {_table(journal_id)} AS SELECT "Id", false AS born, false AS gone,'
            f" pg_current_xact_id() AS written{kept} FROM {table} WITH NO DATA"
        )
    )
    run(_sql(f"ALTER TABLE {_table(journal_id)} ALTER COLUMN written SET DEFAULT pg_current_xact_id()"))
    connection.execute(text("DELETE FROM headwater.journal_count WHERE journal_id = :id"), {"id": journal_id})
    function = _function_name(journal_id)
    run(_sql(_function(function, journal_id, fields, conditions)))
    for event, rows in _EVENTS.items():
        run(_sql(_trigger(journal_id, event, table, f"REFERENCING {rows}", function)))
    run(_sql(_trigger(journal_id, "truncate", table, "", function)))
    connection.execute(
        text(
            "UPDATE headwater.journal SET fields = :fields, conditions = :conditions, number = number + 1"
            " WHERE journal_id = :id"
        ),
        {"id": journal_id, "fields": fields, "conditions": conditions},
    )
    (row,) = (
        each
        for each in connection.execute(text(_FIND), {"org": org, "schema": schema})
        if each.journal_id == journal_id
    )
    connection.execute(
        text("UPDATE headwater.journal SET version = :version WHERE journal_id = :id"),
        {"id": journal_id, "version": _version(row, frozenset(fields))},
    )


def forget_written(connection: Connection, journals: Mapping[str, Journal], lows: Mapping[str, int]) -> None:
    """Drop by object what was written below a transaction: everybody who relies on the journal has seen it."""
    for object, low in lows.items():
        connection.execute(
            text(f"DELETE FROM {journals[object].table} WHERE written < CAST(CAST(:low AS text) AS xid8)"),
            {"low": str(low)},
        )


def stop_journal(connection: Connection, journal_id: int) -> None:
    """Drop what a journal holds and write nothing down any more, until it is begun anew.

    Nobody may be assessing the org's health: what is gone here is gone for who looked before, too.

    Raises:
        TableBusy: somebody writes to it just now.
    """
    table = _table(journal_id)
    with brief_lock(connection, table):
        connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        # Whoever holds this row may wait for the journal: waiting for each other would end the load of one of the two.
        connection.execute(
            text("SELECT FROM headwater.journal WHERE journal_id = :id FOR UPDATE NOWAIT"), {"id": journal_id}
        )
    # The triggers stay, and do nothing: to drop them, everybody who reads the object would have to wait.
    driver(connection).execute(_sql(_silent(_function_name(journal_id))))
    driver(connection).execute(_sql(f"DROP TABLE {table}"))
    connection.execute(text("DELETE FROM headwater.journal_count WHERE journal_id = :id"), {"id": journal_id})
    connection.execute(
        text("UPDATE headwater.journal SET number = number + 1, version = '' WHERE journal_id = :id"),
        {"id": journal_id},
    )


def drop_journals(connection: Connection, org: str, object: str = "") -> None:
    """Drop the journal of an object, or all of an org's; call it after the object's table was dropped."""
    if not connection.execute(text("SELECT to_regclass('headwater.journal') IS NOT NULL")).scalar_one():
        return
    listed = text("SELECT journal_id FROM headwater.journal WHERE org = :org AND :object IN ('', object)")
    for journal_id in connection.execute(listed, {"org": org, "object": object}).scalars().all():
        driver(connection).execute(_sql(f"DROP TABLE IF EXISTS {_table(journal_id)}"))
        driver(connection).execute(_sql(f"DROP FUNCTION IF EXISTS {_function_name(journal_id)}"))
        connection.execute(text("DELETE FROM headwater.journal_count WHERE journal_id = :id"), {"id": journal_id})


def _table(journal_id: int) -> str:
    return f"headwater.journal_{journal_id}"


def _function_name(journal_id: int) -> str:
    return f"headwater.keep_journal_{journal_id}"


def _version(row: Row[tuple[object, ...]], fields: Collection[str]) -> str:
    """Return where the columns are that the journal reads; "" when one is missing, or the journal itself."""
    places: Mapping[str, str] = row.places or {}
    needed = sorted({*fields, "Id", "_deleted_at"})
    if not row.in_place or not all(name in places for name in needed):
        return ""
    return " ".join([str(row.oid), *(places[name] for name in needed)])


_FIND = r"""
SELECT j.journal_id, j.object, j.fields, j.conditions, j.version, j.number, c.oid::bigint AS oid,
       to_regclass('headwater.journal_' || j.journal_id) IS NOT NULL
       AND 4 = (SELECT count(*) FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND t.tgenabled <> 'D'
                AND t.tgname LIKE 'headwater\_journal\_' || j.journal_id || '\_%') AS in_place,
       (SELECT jsonb_object_agg(a.attname, concat_ws(':', a.attnum, a.atttypid::bigint)) FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS places
FROM headwater.journal AS j
JOIN pg_class AS c ON c.oid = to_regclass(format('%I.%I', CAST(:schema AS text), j.object))
WHERE j.org = :org"""

_OPEN = """
INSERT INTO headwater.journal (org, object) VALUES (:org, :object)
ON CONFLICT (org, object) DO UPDATE SET version = '' RETURNING journal_id"""


def _trigger(journal_id: int, event: str, table: str, rows: str, function: str) -> str:
    return (
        f"CREATE OR REPLACE TRIGGER headwater_journal_{journal_id}_{event} AFTER {event} ON {table} {rows}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )


def _function(name: str, journal_id: int, fields: Collection[str], conditions: Collection[str]) -> str:
    """Return the function that the triggers call, with the rights of its owner whoever writes the table."""
    kept = "".join(f", {quoted(each)}" for each in fields)
    met = [LIVE, *(f"{LIVE} AND ({each})" for each in conditions)]
    come, gone = (f"ARRAY[{', '.join(f'{sign}count(*) FILTER (WHERE {each})' for each in met)}]" for sign in ("", "-"))
    torn = f"UPDATE headwater.journal SET number = number + 1, version = '' WHERE journal_id = {journal_id}"
    return f"""
        CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql
        SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $headwater$
        DECLARE
            moved bigint[];
            lost bigint[];
            here numeric;
            there numeric;
        BEGIN
            IF TG_OP = 'TRUNCATE' THEN
                {torn};
                RETURN NULL;
            ELSIF TG_OP = 'INSERT' THEN
                INSERT INTO {_table(journal_id)} ("Id", born) SELECT "Id", true FROM fresh;
                SELECT {come} INTO moved FROM fresh;
            ELSIF TG_OP = 'DELETE' THEN
                INSERT INTO {_table(journal_id)} ("Id", born, gone{kept})
                SELECT "Id", false, NOT ({LIVE}){kept} FROM stale;
                SELECT {gone} INTO moved FROM stale;
            ELSE
                INSERT INTO {_table(journal_id)} ("Id", born, gone{kept})
                SELECT "Id", false, NOT ({LIVE}){kept} FROM stale;
                SELECT sum(hashtextextended("Id", 0)), {gone} INTO there, lost FROM stale;
                SELECT sum(hashtextextended("Id", 0)), {come} INTO here, moved FROM fresh;
                IF here <> there THEN  -- somebody gave a row another Id: it is a record that was never written down
                    {torn};
                END IF;
                moved := (SELECT array_agg(c + l ORDER BY n)
                          FROM ROWS FROM (unnest(moved), unnest(lost)) WITH ORDINALITY AS each (c, l, n));
            END IF;
            IF 0 <> ANY (moved) THEN
                INSERT INTO headwater.journal_count (journal_id, counts) VALUES ({journal_id}, moved);
            END IF;
            RETURN NULL;
        EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception THEN
            -- A column went or became another: the rows matter more, and the journal is begun anew.
            {torn};
            RETURN NULL;
        END
        $headwater$"""


def _silent(name: str) -> str:
    return (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql"
        " SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $headwater$ BEGIN RETURN NULL; END $headwater$"
    )


def _sql(statement: str) -> sql.SQL:
    return sql.SQL(statement)

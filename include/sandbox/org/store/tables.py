"""Tables of the store: a column for each stored field, and five of our own.

`_n` is the number inside the Id: ordering, paging and look-ups go by it, because min-max summaries of column blocks
find a number at once, but not one of a million texts that all begin alike. A row is one version of a record: it is what
readers see from `_from` up to, but not including, `_until` (milliseconds). `_defects` are the planted defects, one bit
each; `_twin` is the Id that a planted duplicate doubles.
"""

from __future__ import annotations

from include.sandbox.org.schema.field import SObject

FOREVER = 1 << 60
# What lies in the recycle bin, which record's deletion took it there, since when and until when (milliseconds); what
# left the store for good; and the highest number of each object whose last records did: no Id is ever given twice.
LEDGERS = (
    "CREATE TABLE IF NOT EXISTS sandbox_bin"
    " (object VARCHAR, n BIGINT, id VARCHAR, deleted_at BIGINT, due BIGINT, root VARCHAR, emptied BOOLEAN)",
    "CREATE TABLE IF NOT EXISTS sandbox_gone (object VARCHAR, id VARCHAR, deleted_at TIMESTAMP)",
    "CREATE TABLE IF NOT EXISTS sandbox_highest (object VARCHAR, n BIGINT)",
)
OWN_COLUMNS = ("_n", "_from", "_until", "_defects", "_twin")


def table_sql(each: SObject) -> str:
    """Return the statement that creates the table of an object."""
    fields = ", ".join(f'"{column.name}" {column.sql_type}' for column in each.columns)
    return (
        f'CREATE TABLE IF NOT EXISTS "{each.name}" ('
        f"_n BIGINT, _from BIGINT, _until BIGINT, _defects BIGINT, _twin VARCHAR, {fields})"
    )


def visible_sql(table: str, now: str) -> str:
    """Return the condition that picks what a reader sees at a time in milliseconds."""
    return f"{table}._from <= {now} AND {table}._until > {now}"

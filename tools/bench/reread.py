"""Figures of a full re-read in which a tenth has changed: the merge step against the fastest MERGE there is."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

import psycopg
from psycopg import sql
from sqlalchemy import Engine

from include.warehouse.engine import open_warehouse, transaction
from include.warehouse.loading.steps import announce_run, checked_header, copy_csv, create_staging, merge_staging
from include.warehouse.loading.stream import CsvStream
from include.warehouse.tables import Table
from tools.bench.bench import Bench
from tools.bench.figures import Figure, Goal, against
from tools.bench.limits import described, merge_seconds
from tools.bench.loaded import bench_table
from tools.bench.server import fresh_database, settle

_CHUNK = 1 << 18
# A tenth, in every page and every part of the table.
_TENTH = "left(md5(\"Id\"), 2) < '1a'"


def measure_reread(bench: Bench, shelf: str, pages: list[Path]) -> Iterator[Figure]:
    """Yield the figures; the warehouse holds the first load, and then an older tenth."""
    ours, fastest, staging = [], [], []
    with fresh_database(bench.server, "bench_reread") as warehouse:
        bench.load(warehouse, shelf, run="first", migrate="")
        table = bench_table(warehouse)
        engine = open_warehouse(warehouse)
        changed = 0
        for number in range(bench.repeats):
            changed = _age_a_tenth(warehouse, table)
            seconds, copied = _merge_pages(engine, table, pages, changed)
            ours.append(seconds)
            staging.append(copied)
            _age_a_tenth(warehouse, table)
            fastest.append(_fastest(warehouse, table, pages))
            bench.say(f"merge {number + 1}: {ours[-1]:.2f} s, the fastest MERGE {fastest[-1]:.2f} s")
        engine.dispose()
    yield against(
        "extract.reread_merge", median(ours), "s", median(fastest), Goal(at_most=1.2),
        note=f"{changed:,} of {bench.rows:,} rows changed; limit: one MERGE of all rows, staged and analysed before",
    )  # fmt: skip
    yield Figure(name="extract.reread_staging", value=median(staging), unit="s", note="COPY into the staging tables")


def _age_a_tenth(warehouse: str, table: Table) -> int:
    """Make a tenth of the rows older than the org's, and the table as fresh as a vacuum leaves it."""
    with psycopg.connect(warehouse, autocommit=True) as connection:
        statement = f"UPDATE {table.name} SET \"Title\" = 'before', \"SystemModstamp\" = '2001-01-01' WHERE {_TENTH}"
        changed = connection.execute(sql.SQL(statement)).rowcount
        connection.execute(sql.SQL(f"VACUUM ANALYZE {table.name}"))
    settle(warehouse)
    return changed


def _merge_pages(engine: Engine, table: Table, pages: list[Path], changed: int) -> tuple[float, float]:
    """Merge page by page, as a full refresh does, and return the seconds of the merges and of the staging."""
    merging = copying = 0.0
    updated = 0
    for page in pages:
        with page.open("rb") as file, transaction(engine) as connection:
            announce_run(connection, 1)
            stream = CsvStream(iter(partial(file.read, _CHUNK), b""))
            columns = checked_header(stream, table)
            create_staging(connection, {name: table.columns[name] for name in columns})
            began = time.perf_counter()
            staged = copy_csv(connection, "headwater_staging", columns, stream)
            copied = time.perf_counter()
            updated += merge_staging(connection, table, columns, staged, 1).updated
            copying += copied - began
            merging += time.perf_counter() - copied
    if updated != changed:
        raise RuntimeError(f"the merge changed {updated} rows of {changed}")
    return merging, copying


def _fastest(warehouse: str, table: Table, pages: list[Path]) -> float:
    with psycopg.connect(warehouse, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS bench_staged")
        connection.execute(sql.SQL("CREATE UNLOGGED TABLE bench_staged ({})").format(described(table.columns)))
        names = sql.SQL(", ").join(map(sql.Identifier, table.columns))
        for page in pages:
            with page.open("rb") as file, connection.cursor() as cursor:
                options = sql.SQL("FORMAT csv, HEADER match, FORCE_NULL ({})").format(names)
                with cursor.copy(sql.SQL("COPY bench_staged ({}) FROM STDIN ({})").format(names, options)) as copy:
                    while chunk := file.read(_CHUNK):
                        copy.write(chunk)
        connection.execute("VACUUM ANALYZE bench_staged")
    settle(warehouse)
    try:
        return merge_seconds(
            warehouse, sql.Identifier(table.schema, table.object), list(table.columns), table.key, "bench_staged"
        )
    finally:
        with psycopg.connect(warehouse, autocommit=True) as connection:
            connection.execute("DROP TABLE bench_staged")

"""Figures of the same load by what users have today, into the same PostgreSQL, with the calls that the org counted."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator

import psycopg
from psycopg import sql

from tools.bench.bench import Bench
from tools.bench.extract import checked
from tools.bench.figures import Figure, Goal, against, skipped
from tools.bench.loaded import bench_table
from tools.bench.org import BenchOrg, running_org
from tools.bench.rivals import Rival, Task, rivals
from tools.bench.server import fresh_database, settle
from tools.peers.peer import Broken, Skipped


def measure_peers(bench: Bench) -> Iterator[Figure]:
    """Yield rows a second and calls of each; ours, measured in the same way, is what they are compared with."""
    if bench.peers == ("-",):
        return
    rows = bench.peer_rows
    with running_org(bench.home / f"org-{rows}", contacts=rows) as org:
        count = org.count("Contact")
        with fresh_database(bench.server, "bench_ours") as warehouse:
            bench.load(warehouse, org.url, run="schema", objects="User", migrate="")
            seconds, calls = _timed(org, lambda: checked(bench.load(warehouse, org.url, run="first"), count))
            types = bench_table(warehouse).columns
        ours = count / seconds
        yield Figure(
            name="extract.peers_ours", value=ours, unit="rows/s",
            note=f"{count:,} rows, the whole process, from the org: {seconds:.1f} s; {calls} calls",
        )  # fmt: skip
        for rival in rivals():
            if not bench.peers or rival.name in bench.peers:
                yield from _measure(bench, org, rival, types, ours, calls)


def _measure(
    bench: Bench, org: BenchOrg, rival: Rival, types: dict[str, str], ours: float, our_calls: int
) -> Iterator[Figure]:
    folder = bench.home / "peers" / rival.name
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    name = f"extract.peer_{rival.name}"
    with fresh_database(bench.server, "bench_peer") as warehouse:
        task = Task(org=org, warehouse=warehouse, types=types, folder=folder, work=work)
        try:
            bench.say(f"{rival.name}: install")
            load = rival.prepare(task)
            settle(warehouse)
            bench.say(f"{rival.name}: load")
            seconds, calls = _timed(org, lambda: load.do(task))
            rows = _count(warehouse)
        except (Skipped, Broken) as reason:
            yield skipped(name, f"{'skipped' if isinstance(reason, Skipped) else 'it failed'}: {reason}"[:300])
            return
    # What is compared is ours by theirs: so many times are we faster.
    theirs = rows / seconds
    yield Figure(
        name=name, value=theirs, unit="rows/s", limit=ours, ratio=ours / theirs, goal=Goal(at_least=10),
        note=f"{rows:,} rows in {seconds:.1f} s; ratio: so many times are we as fast",
    )  # fmt: skip
    yield against(f"{name}_calls", calls, "calls", our_calls, Goal(at_least=1.01), note="limit: ours")


def _timed(org: BenchOrg, do: Callable[[], object]) -> tuple[float, int]:
    before, began = org.calls(), time.perf_counter()
    do()
    return time.perf_counter() - began, org.calls() - before


def _count(warehouse: str) -> int:
    """Return how many rows the table of contacts has, wherever it was put and however its name is written."""
    with psycopg.connect(warehouse) as connection:
        found = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE lower(tablename) = 'contact' AND schemaname !~ '^pg_'"
        ).fetchall()
        if len(found) != 1:
            raise Broken(f"it ended well, and {len(found)} tables of contacts are there")
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*found[0]))).fetchone()
    assert row is not None
    return int(row[0])

"""Figures of the pages: how long the server takes for each, with the ledgers of a large org behind it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from include.warehouse.engine import open_warehouse
from include.warehouse.migrate import migrate
from tools.bench.bench import ROOT, Bench, environment
from tools.bench.figures import Figure, Goal, against, skipped
from tools.bench.server import fresh_database, settle

SECONDS = 0.3
_SHOWN = 8  # the slowest addresses have a figure of their own; all are within the first


def measure_pages(bench: Bench) -> Iterator[Figure]:
    """Yield the slowest page and the others after it, each against the time that a page may take."""
    with fresh_database(bench.server, "bench_pages") as warehouse:
        bench.say(f"write the ledgers of an org of {bench.rows:,} contacts")
        fill(warehouse, bench.rows)
        settle(warehouse)
        bench.say("ask for every page")
        told = ask(bench.home / "airflow", warehouse)
    broken = [each for each in told if each.get("problem") or each["status"] >= 500]
    for each in broken:
        yield skipped(f"pages {each['address']}", each.get("problem") or f"answered {each['status']}")
    # Where the database's sessions tell their processor time, that is the figure: other work on the machine lengthens
    # the clock's time, and neither processor time nor what a person would wait for on a quiet machine.
    asked = sorted((each for each in told if each not in broken), key=lambda each: -_figure(each))
    for place, each in enumerate(asked[:_SHOWN]):
        among = f"; the slowest of {len(asked)} addresses" if place == 0 else ""
        told_by = "processor time of page and database" if each["sessions"] else "clock, best of the turns"
        yield against(
            f"pages {each['address']}", _figure(each), "s", SECONDS, Goal(at_most=1),
            note=f"{bench.rows:,} contacts; {told_by}; by the clock {each['least'] * 1000:.0f} ms at best,"
            f" {each['seconds'] * 1000:.0f} ms in the median{among}",
        )  # fmt: skip


def _figure(told: dict[str, Any]) -> float:
    return float(told["processor"] if told["sessions"] else told["least"])


def fill(warehouse: str, records: int) -> None:
    """Migrate a database and fill it with ledgers as long as a busy org's."""
    engine = open_warehouse(warehouse)
    migrate(engine)
    engine.dispose()
    statements = (Path(__file__).parent / "pages_rows.sql").read_text(encoding="utf-8")
    filled = statements.format(records=records, findings=records * 2 // 5, fifth=records // 5)
    with psycopg.connect(warehouse, autocommit=True) as connection:
        for statement in filled.split(";\n"):
            if statement.strip():
                connection.execute(statement)


def ask(home: Path, warehouse: str) -> list[dict[str, Any]]:
    """Return what each page took, asked in a process of its own."""
    home.mkdir(parents=True, exist_ok=True)
    variables = environment(AIRFLOW_HOME=str(home), AIRFLOW__CORE__LOAD_EXAMPLES="false")
    command = [sys.executable, "-m", "tools.bench.asking", "--warehouse", warehouse]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the pages could not be asked: {done.stderr.strip()[-1500:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

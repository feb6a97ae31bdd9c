"""Figures of the extract: first load, full re-read, increment, idle run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tools.bench.bench import Bench, running_shelf
from tools.bench.figures import Figure, Goal, against
from tools.bench.limits import copy_seconds, described, page_bytes, same_as
from tools.bench.loaded import bench_table
from tools.bench.org import BenchOrg, running_org
from tools.bench.reread import measure_reread
from tools.bench.server import fresh_database, settle
from tools.bench.shelf import csv_pages

_MEMORY_MIB = 250.0
_IDLE_CONTACTS = 2000
_OBJECTS = (
    "Account", "Contact", "Lead", "Opportunity", "Task", "Event", "Campaign", "CampaignMember",
    "OpportunityContactRole", "Case", "User", "Subscription__c",
)  # fmt: skip


def measure_extract(bench: Bench) -> Iterator[Figure]:
    """Yield the figures of the extract."""
    with running_org(bench.home / f"org-{bench.rows}", contacts=bench.rows) as org:
        with fresh_database(bench.server, "bench_live") as warehouse:
            yield from _live(bench, org, warehouse)
            large = _increments(bench, org, warehouse)
        yield from _from_disk(bench, org)
    yield from _small(bench, large)
    yield from _idle(bench)


def checked(load: dict[str, Any], rows: int) -> dict[str, Any]:
    """Return what a load took; refuse one that did not bring everything.

    Raises:
        RuntimeError: it did not: there is nothing to measure.
    """
    if load["rows"] != rows or load["difference"]:
        raise RuntimeError(f"a load brought {load['rows']} of {rows} rows, and differs by {load['difference']}")
    return load


def _live(bench: Bench, org: BenchOrg, warehouse: str) -> Iterator[Figure]:
    bench.say(f"first load of {bench.rows:,} contacts from the org")
    load = checked(bench.load(warehouse, org.url, run="first", migrate=""), org.count("Contact"))
    beside = "the org makes the result on the same cores"
    yield Figure(
        name="extract.first_load_live", value=bench.rows / load["seconds"], unit="rows/s",
        note=f"{load['seconds']:.1f} s from the question to the commit; {beside}",
    )  # fmt: skip
    yield Figure(name="extract.first_load_calls", value=load["calls"], unit="calls", note="counts included")


@dataclass(frozen=True, slots=True)
class _Increment:
    changed: int
    seconds: float  # ours: without the waits for the org
    total: float
    certify: float
    calls: float


def _increments(bench: Bench, org: BenchOrg, warehouse: str, changed: int = 0) -> _Increment:
    """Change a thousandth of the records and read the change, as often as is asked for."""
    changed = changed or max(1, bench.rows // 1000)
    loads = []
    for number in range(bench.repeats):
        org.command("touch", object="Contact", n=changed, seed=number + 1)
        org.command("clock", advance=2)  # a window ends before the second that it is asked in
        settle(warehouse)
        # Without lookback: it would read the change before once more.
        load = bench.load(warehouse, org.url, run=f"increment {number}", lookback="0")
        loads.append(checked(load, changed))
    shown = ", ".join(f"{each['seconds']:.2f} s" for each in loads)
    bench.say(f"increments of {changed:,} rows: {shown}")
    return _Increment(
        changed=changed,
        seconds=median(each["seconds"] - each["seconds_waited"] for each in loads),
        total=median(each["seconds"] for each in loads),
        certify=median(each["seconds_certify"] for each in loads),
        calls=median(each["calls"] for each in loads),
    )


def _from_disk(bench: Bench, org: BenchOrg) -> Iterator[Figure]:
    folder = bench.home / "shelf"
    shutil.rmtree(folder, ignore_errors=True)
    org.command("clock", rate=0)  # so that what is asked twice is the same question
    try:
        with running_shelf(folder, org.url) as shelf:
            bench.say("fill the shelf")
            with fresh_database(bench.server, "bench_fill") as warehouse:
                bench.load(warehouse, shelf, run="first", migrate="")
            pages = csv_pages(folder)
            yield from _first_load(bench, shelf, org.count("Contact"), pages)
            yield from measure_reread(bench, shelf, pages)
    finally:
        org.command("clock", rate=1)
        shutil.rmtree(folder, ignore_errors=True)


def _first_load(bench: Bench, shelf: str, rows: int, pages: list[Path]) -> Iterator[Figure]:
    limits, bare_limits, loads, peak = [], [], [], 0.0
    for number in range(bench.repeats):
        with fresh_database(bench.server, "bench_first") as warehouse:
            load = checked(bench.load(warehouse, shelf, run="first", migrate=""), rows)
            table = bench_table(warehouse)
            loads.append(load["seconds"])
            peak = max(peak, load["peak_mib"])
            limits.append(copy_seconds(warehouse, same_as(table), pages))
            bare_limits.append(copy_seconds(warehouse, described(table.columns), pages))
        bench.say(
            f"first load {number + 1}: {loads[-1]:.2f} s; COPY alone: {limits[-1]:.2f} s,"
            f" without a key {bare_limits[-1]:.2f} s"
        )
    ours, limit, bare = median(loads), median(limits), median(bare_limits)
    megabytes = page_bytes(pages) / 1e6
    size = f"{rows:,} rows of {len(table.columns)} fields, {megabytes:,.0f} MB, in {ours:.2f} s, pages from disk"
    yield against(
        "extract.first_load", rows / ours, "rows/s", rows / limit, Goal(at_least=0.7),
        note=f"{size}; limit: one COPY of the same bytes into the same table, logged, in one transaction",
    )  # fmt: skip
    yield against(
        "extract.first_load_bytes", megabytes / ours, "MB/s", megabytes / bare,
        note="limit: the same COPY into a table of the fields alone, without key, run, time and mark of deletion",
    )  # fmt: skip
    yield against("extract.peak_memory", peak, "MiB", _MEMORY_MIB, Goal(at_most=1), note="of the process that loads")


def _small(bench: Bench, large: _Increment) -> Iterator[Figure]:
    contacts = max(1000, bench.rows // 5)
    with (
        running_org(bench.home / f"org-{contacts}", contacts=contacts) as org,
        fresh_database(bench.server, "bench_small") as warehouse,
    ):
        checked(bench.load(warehouse, org.url, run="first", migrate=""), org.count("Contact"))
        small = _increments(bench, org, warehouse, large.changed)
    what = f"{large.changed:,} changed rows of {bench.rows:,}"
    yield Figure(
        name="extract.increment", value=large.total, unit="s", note=f"{what}, the org's answers included, lookback 0"
    )
    yield against(
        "extract.increment_ours", large.seconds, "s", small.seconds, Goal(at_most=1.5),
        note=f"without the org's answers; limit: as many changed rows of {contacts:,}",
    )  # fmt: skip
    yield against(
        "extract.increment_certificate", large.certify, "s", small.certify, note="both sides counted, in the same runs"
    )
    yield Figure(name="extract.increment_calls", value=large.calls, unit="calls", note="certificate included")


def _idle(bench: Bench) -> Iterator[Figure]:
    with running_org(bench.home / f"org-{_IDLE_CONTACTS}", contacts=_IDLE_CONTACTS) as org:
        org.command("clock", advance=7200)
        for number in (5, 12):
            with fresh_database(bench.server, "bench_idle") as warehouse:
                objects = ",".join(_OBJECTS[:number])
                bench.load(warehouse, org.url, run="first", objects=objects, migrate="")
                load = bench.load(warehouse, org.url, run="idle", objects=objects)
            most = -(-number // 5)
            yield against(
                f"extract.idle_{number}_objects", load["calls"], "calls", most, Goal(at_most=1),
                note=f"{load['seconds']:.2f} s, read {load['rows']} rows",
            )  # fmt: skip

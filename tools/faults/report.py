"""The tables of a campaign, as text and as Markdown."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import psutil

from tools.faults.campaign import Campaign, Tally
from tools.faults.kinds import JOB_ENDS, KINDS
from tools.faults.ledger import RunLedger


def report(campaign: Campaign, ledger: RunLedger, *, seed: int) -> str:
    """Return everything that was counted, as Markdown that reads well as text."""
    tally = campaign.tally
    parts = [
        _table(["fault", "injected", "met", "survived at once", "survived later"], fault_rows(tally), total=True),
        _table(["killed with -9", "times"], sorted(campaign.killer.done.items()), total=True),
        _table(["runs", "state", "number"], [(*key, count) for key, count in sorted(ledger.states.items())]),
        _table(["tries of tasks", "number"], sorted(campaign.scheduler.tries.items()), total=True),
        _table(["failed runs, by cause", "number"], ledger.failed.most_common()),
        _table(["degraded run", "kind", "object", "cause"], ledger.degraded),
        _table(
            ["compared", "records", "of them deleted", "fields", "values", "lost", "doubled"],
            [
                (each.object, each.records, each.deleted, each.fields, each.values, len(each.lost), len(each.doubled))
                for each in tally.compared
            ],
            total=True,
        ),
        _facts(campaign, seed),
        *_complaints(campaign, ledger),
        last_line(campaign),
    ]
    return "\n\n".join(part for part in parts if part)


def fault_rows(tally: Tally) -> list[tuple[str, int, int, int, int]]:
    """Return a row for each kind: what it is, and how often it was injected, met and survived."""
    rows = []
    for kind, words in KINDS.items():
        injected = tally.met[kind]
        met = tally.met[JOB_ENDS[kind]] if kind in JOB_ENDS else injected
        if kind == "schema_change":
            met = min(injected, tally.schema_changes)
        rows.append((words, injected, min(met, injected), tally.survived_at_once[kind], tally.survived_later[kind]))
    return rows


def counts(campaign: Campaign) -> dict[str, int]:
    """Return the figures of the last line."""
    tally = campaign.tally
    rows = fault_rows(tally)
    return {
        "injected": sum(row[1] for row in rows),
        "survived": sum(row[3] + row[4] for row in rows),
        "lost": sum(len(each.lost) for each in tally.compared),
        "doubled": sum(len(each.doubled) for each in tally.compared) + len(campaign.observer.doubled),
        "regressed": len(campaign.observer.regressed),
    }


def last_line(campaign: Campaign) -> str:
    """Return the line that programs read."""
    return "  ".join(f"{name} {count}" for name, count in counts(campaign).items())


def _facts(campaign: Campaign, seed: int) -> str:
    tally = campaign.tally
    dags = Counter(each.kind for done in tally.rounds for each in done.dags)
    return "\n".join(
        [
            f"- seed {seed}; {len(tally.rounds)} rounds of "
            + ", ".join(f"{n} {kind}" for kind, n in dags.most_common()),
            f"- the org's people changed {tally.changes.total():,} records meanwhile, its administrator the schema"
            f" {tally.schema_changes} times",
            f"- all Ids and stamps were read {campaign.observer.samples:,} times",
            f"- {tally.seconds:.0f} s on {_machine()}",
        ]
    )


def _complaints(campaign: Campaign, ledger: RunLedger) -> list[str]:
    tally = campaign.tally
    bad = [f"last run, {each.task}: {each.told.message}" for each in tally.peace if each.told.state == "failed"]
    bad += [f"lost: {each.object} {line}" for each in tally.compared for line in each.lost[:10]]
    bad += [f"doubled: {each.object} {line}" for each in tally.compared for line in each.doubled[:10]]
    bad += [f"doubled: {line}" for line in campaign.observer.doubled[:10]]
    bad += [f"regressed: {line}" for line in campaign.observer.regressed[:20]]
    bad += [f"certificate: {object} differs by {by}" for object, by in ledger.different]
    bad += [f"{count} times no error of ours: {what}" for what, count in Counter(campaign.scheduler.surprises).items()]
    if ledger.nameless:
        bad.append(f"{ledger.nameless} degraded or failed runs name no cause")
    return ["What was wrong:\n\n" + "\n".join(f"- {each}" for each in bad)] if bad else []


def _machine() -> str:
    memory = psutil.virtual_memory().total / 2**30
    names = [line.split(":")[1].strip() for line in _cpu_lines() if line.startswith("model name")]
    cores = psutil.cpu_count()
    return f"{cores} cores ({names[0] if names else platform.machine()}), {memory:.0f} GiB, {platform.system()}"


def _cpu_lines() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []


def _table(head: Sequence[str], rows: Sequence[Sequence[object]], *, total: bool = False) -> str:
    if not rows:
        return ""
    body = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    if total:
        body.append(["**all**", *(_sum(rows, column) for column in range(1, len(head)))])
    widths = [max(len(row[column]) for row in [list(head), *body]) for column in range(len(head))]
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [list(head), *body]
    ]
    rule = " | ".join("-" * width for width in widths)
    return "\n".join(f"| {line} |" for line in [lines[0], rule, *lines[1:]])


def _sum(rows: Sequence[Sequence[object]], column: int) -> str:
    return f"{sum(row[column] for row in rows if isinstance(row[column], int)):,}"  # type: ignore[misc]

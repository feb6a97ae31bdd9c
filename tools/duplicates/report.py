"""Say what was measured: a text for people, JSON for programs, and whether the goals are met."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tools.duplicates.measure import Measured
from tools.duplicates.score import ACROSS, MOVED

PRECISION, RECALL = 0.99, 0.95


def met(measured: Measured) -> bool:
    """Return whether enough was found and no look-alikes, and whether an increment leaves what a whole pass does."""
    found = measured.score
    return found.precision_among_traps >= PRECISION and found.recall >= RECALL and measured.increment_is_whole


def as_json(measured: Measured) -> dict[str, Any]:
    """Return all figures."""
    found = measured.score
    return {
        "records": measured.counts,
        "precision": found.precision,
        "precision_among_traps": found.precision_among_traps,
        "recall": found.recall,
        "recall_by_kind": {each.kind: each.share for each in found.recalls},
        "pairs": {"right": found.right, "wrong": found.wrong},
        "found_by_kind": [asdict(each) for each in found.recalls],
        "traps": [asdict(each) for each in found.traps],
        "rules": [asdict(each) for each in found.rules],
        "clusters": {"all": found.clusters, "of_several_people": found.mixed_clusters},
        "increment": {"records": measured.increment, "equals_whole": measured.increment_is_whole},
        "reloaded": measured.reloaded,
        "stages": [asdict(each) for each in measured.stages],
        "met": met(measured),
    }


def as_text(measured: Measured) -> str:
    """Return tables."""
    found = measured.score
    lines = [
        ", ".join(f"{count:,} {name}" for name, count in measured.counts.items()),
        "",
        f"precision, all wrong pairs counted    {found.precision:.4f}   ({found.right:,} right, {found.wrong:,} wrong)",
        f"precision against look-alikes         {found.precision_among_traps:.4f}   (goal {PRECISION})",
        f"recall of contacts, all but moved     {found.recall:.4f}   (goal {RECALL})",
        f"clusters                              {found.clusters:,}, of several people {found.mixed_clusters:,}",
        "",
        f"{'duplicates':<34}{'planted':>10}{'found':>10}{'share':>9}",
    ]
    for each in found.recalls:
        mark = {MOVED: "  (not in the goal)", ACROSS: "  (across objects)"}.get(each.kind, "")
        lines.append(f"{each.kind:<34}{each.planted:>10,}{each.found:>10,}{each.share:>9.4f}{mark}")
    lines += ["", f"{'look-alikes':<34}{'planted':>10}{'taken':>10}"]
    lines += [f"{each.kind:<34}{each.planted:>10,}{each.taken:>10,}" for each in found.traps]
    lines += ["", f"{'rule':<34}{'found':>10}{'wrong':>10}"]
    lines += [f"{each.rule:<34}{each.found:>10,}{each.wrong:>10,}" for each in found.rules]
    lines += ["", f"{'stage':<52}{'wall s':>9}{'server CPU s':>14}{'our CPU s':>11}"]
    for stage in measured.stages:
        server = "–" if stage.server is None else f"{stage.server:.2f}"
        indent = "" if any(mark in stage.name for mark in (",", ":", "changed")) else "  "
        lines.append(f"{indent + stage.name:<52}{stage.wall:>9.2f}{server:>14}{stage.ours:>11.2f}")
    said = "the same pairs and clusters as" if measured.increment_is_whole else "OTHER pairs or clusters than"
    lines += ["", f"increment of {measured.increment:,} changed contacts: {said} comparing all of them"]
    lines.append(f"reloaded with another title: {measured.reloaded:,} contacts, once with keys and once without")
    lines.append("goals met" if met(measured) else "GOALS MISSED")
    return "\n".join(lines)

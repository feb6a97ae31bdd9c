"""Measure what Splink finds among generated contacts, alone, and what it costs."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from include.config.orgs import OrgDefinition
from include.quality.probable import find_probable
from tools.bench.memory import peak_mib
from tools.duplicates.crowd import OBJECTS, ORG, Crowd, settle_in
from tools.duplicates.score import score
from tools.duplicates.truth import keep_truth


def measure_probable(engine: Engine, crowd: Crowd, *, threshold: float, memory_mb: int) -> dict[str, Any]:
    """Return what was found in an empty, migrated warehouse, of a first run and of one with the model that is kept."""
    settle_in(engine, crowd)
    keep_truth(engine, crowd)
    crowd.close()
    wanted = {"objects": {"Contact": {"threshold": threshold, "memory_mb": memory_mb}}}
    org = OrgDefinition(org=ORG, connection=ORG, objects=OBJECTS, probable_duplicates=wanted)  # type: ignore[arg-type]
    figures: dict[str, Any] = {"contacts": crowd.counts["Contact"], "threshold": threshold}
    before = _peak()
    for name in ("first", "again"):
        wall, ours = time.perf_counter(), time.process_time()
        found = find_probable(engine, org, now=datetime.now(UTC))["Contact"]
        figures[name] = {
            "wall": round(time.perf_counter() - wall, 2),
            "cpu": round(time.process_time() - ours, 2),
            "learnt": found.learnt,
            "candidates": found.candidates,
        }
    said = score(engine, ORG)
    return figures | {
        "peak_mib": _peak(),
        "peak_before_mib": before,
        "precision": said.precision,
        "recall": said.recall,
        "recall_by_kind": {each.kind: each.share for each in said.recalls if each.object == "Contact"},
        "traps_taken": {each.kind: each.taken for each in said.traps},
        "pairs": {"right": said.right, "wrong": said.wrong},
    }


def _peak() -> int:
    """Return the most memory that this process ever held, in MiB."""
    return int(peak_mib())

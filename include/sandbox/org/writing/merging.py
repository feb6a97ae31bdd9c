"""Merge records of one object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from include.sandbox.org.org import Org
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.store.changes import Change, Changes
from include.sandbox.org.writing.results import MergeResult, Writer


def merge_records(
    org: Org, target: SObject, master_row: Mapping[str, Any], loser_ids: Sequence[str], writer: Writer
) -> MergeResult:
    """Merge one or two losers into the record that `master_row` names in Id; its other values are written to it."""
    master = str(master_row["Id"])
    for loser in loser_ids:
        Changes(org.database, org.catalogue, org.clock).merge(target, master, loser, Change(user_id=writer.user_id))
    return MergeResult(id=master, merged_ids=tuple(loser_ids))

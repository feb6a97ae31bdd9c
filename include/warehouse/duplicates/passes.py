"""The ledger of how an object's records were compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from include.warehouse.duplicates.ledger import PairCounts
from include.warehouse.duplicates.match_keys import KeySet
from include.warehouse.duplicates.search import Due

_NOT_ALLOWED = ("42", "0A", "58")  # no right, not installed, its files are not there


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicatePass:
    """Hold what one comparison of an object's records did."""

    pass_id: int
    seconds: float
    whole: bool
    changed: int
    found: int
    lost: int
    changed_pairs: bool


def has_trigrams(connection: Connection) -> bool:
    """Return whether names can be compared by trigrams; the extension is made where we may."""
    if connection.execute(text("SELECT to_regproc('similarity') IS NOT NULL")).scalar_one():
        return True
    try:
        with connection.begin_nested():
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    except DBAPIError as error:
        if (getattr(error.orig, "sqlstate", None) or "")[:2] not in _NOT_ALLOWED:
            raise
        return False
    return bool(connection.execute(text("SELECT to_regproc('similarity') IS NOT NULL")).scalar_one())


def finish_pass(
    connection: Connection, keys: KeySet, due: Due, counts: PairCounts, skipped: Mapping[str, str], *, seconds: float
) -> DuplicatePass:
    """Note what was done; call it in the transaction of the pairs."""
    connection.execute(
        text("UPDATE headwater.match_set SET matched_at = now() WHERE set_id = :id"), {"id": keys.set_id}
    )
    pass_id = connection.execute(
        text(_NOTE),
        {
            "org": keys.org,
            "object": keys.object,
            "seconds": seconds,
            "whole": due.whole,
            "changed": due.records,
            "found": counts.found,
            "lost": counts.lost,
            "skipped": json.dumps(dict(skipped)),
        },
    ).scalar_one()
    return DuplicatePass(
        pass_id=pass_id,
        seconds=seconds,
        whole=due.whole,
        changed=due.records,
        found=counts.found,
        lost=counts.lost,
        changed_pairs=counts.changed,
    )


_NOTE = """
INSERT INTO headwater.duplicate_pass (org, object, seconds, whole, changed, found, lost, skipped)
VALUES (:org, :object, :seconds, :whole, :changed, :found, :lost, CAST(:skipped AS jsonb)) RETURNING pass_id"""

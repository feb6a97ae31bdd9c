"""Keep what changed in an org's metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, text

from include.records import FieldChange


def keep_changes(connection: Connection, org: str, changes: Sequence[FieldChange]) -> None:
    """Write changes, in the transaction that keeps the describe which told them."""
    if changes:
        connection.execute(
            text(
                "INSERT INTO headwater.schema_change (org, object, field, kind, before, after)"
                " VALUES (:org, :object, :field, :kind, :before, :after)"
            ),
            [asdict(each) | {"org": org} for each in changes],
        )


def fields_gone(connection: Connection, org: str, object: str) -> frozenset[str]:
    """Return the names of fields that the org described once and no longer does."""
    rows = connection.execute(
        text("SELECT name FROM headwater.field WHERE org = :org AND object = :object AND gone_at IS NOT NULL"),
        {"org": org, "object": object},
    )
    return frozenset(rows.scalars())

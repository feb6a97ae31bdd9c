"""Keep what was learnt of an object's duplicates until it is old."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text


def kept_model(
    connection: Connection, org: str, object: str, *, version: str, learnt_after: datetime
) -> dict[str, Any] | None:
    """Return the model of an object, or None when there is none that is young enough and of these settings."""
    found: dict[str, Any] | None = connection.execute(
        text(
            "SELECT model FROM headwater.probable_model"
            " WHERE org = :org AND object = :object AND version = :version AND learnt_at > :learnt_after"
        ),
        {"org": org, "object": object, "version": version, "learnt_after": learnt_after},
    ).scalar_one_or_none()
    return found


def keep_model(
    connection: Connection,
    org: str,
    object: str,
    model: Mapping[str, Any],
    *,
    version: str,
    pairs: int,
    learnt_at: datetime,
) -> None:
    """Keep a model instead of the one before."""
    connection.execute(
        text(
            "INSERT INTO headwater.probable_model (org, object, version, learnt_at, pairs, model)"
            " VALUES (:org, :object, :version, :learnt_at, :pairs, CAST(:model AS jsonb))"
            " ON CONFLICT (org, object) DO UPDATE SET version = excluded.version, learnt_at = excluded.learnt_at,"
            " pairs = excluded.pairs, model = excluded.model"
        ),
        {
            "org": org,
            "object": object,
            "version": version,
            "learnt_at": learnt_at,
            "pairs": pairs,
            "model": json.dumps(model),
        },
    )

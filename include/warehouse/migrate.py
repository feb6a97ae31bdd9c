"""Bring the schema `headwater` to the version that this code expects.

Migrations are numbered SQL files, applied in order; all that are missing are one transaction, under one advisory lock.
"""

from __future__ import annotations

from importlib import resources

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

_LOCK = 7_201_840_311  # any constant; one migration at a time per server


def migrate(engine: Engine) -> list[str]:
    """Apply the migrations that are missing and return their names; safe to call from several processes at once."""
    applied: list[str] = []
    with transaction(engine) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS headwater"))
        connection.execute(
            text(
                "CREATE TABLE IF NOT EXISTS headwater.migration"
                " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
            )
        )
        done = set(connection.execute(text("SELECT name FROM headwater.migration")).scalars())
        for name, statement in _migrations():
            if name not in done:
                connection.exec_driver_sql(statement)
                connection.execute(text("INSERT INTO headwater.migration (name) VALUES (:name)"), {"name": name})
                applied.append(name)
    return applied


def _migrations() -> list[tuple[str, str]]:
    folder = resources.files("include.warehouse") / "migrations"
    return sorted(
        (path.name.removesuffix(".sql"), path.read_text(encoding="utf-8"))
        for path in folder.iterdir()
        if path.name.endswith(".sql")
    )

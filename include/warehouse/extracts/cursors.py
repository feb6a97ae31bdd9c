"""Keep how far each object has safely been read; a cursor moves in the transaction of its rows.

Only forward, unless the org's clock was set back and the cursor lies in its future.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Say how far an object has been read (excluded; None: never), and since when its first load is complete."""

    at: datetime | None = None
    first_loaded_at: datetime | None = None


def read_cursor(connection: Connection, org: str, object: str) -> Cursor:
    """Return the object's cursor."""
    row = connection.execute(
        text("SELECT cursor_at, first_loaded_at FROM headwater.object WHERE org = :org AND object = :object"),
        {"org": org, "object": object},
    ).one_or_none()
    return Cursor(at=row.cursor_at, first_loaded_at=row.first_loaded_at) if row else Cursor()


def move_cursor(connection: Connection, org: str, object: str, to: datetime, *, back: bool = False) -> None:
    """Move the cursor to `to`; everything before it has been read, so the first load is complete.

    It stays if it is further already, unless `back` allows it to move backwards.
    """
    connection.execute(
        text(
            "UPDATE headwater.object SET cursor_at = CASE WHEN :back THEN :to ELSE greatest(cursor_at, :to) END,"
            " first_loaded_at = coalesce(first_loaded_at, now()) WHERE org = :org AND object = :object"
        ),
        {"org": org, "object": object, "to": to, "back": back},
    )


def forget_cursor(connection: Connection, org: str, object: str) -> None:
    """Let the next run read the object from the beginning; what was loaded stays, and stays complete."""
    connection.execute(
        text("UPDATE headwater.object SET cursor_at = NULL WHERE org = :org AND object = :object"),
        {"org": org, "object": object},
    )


def note_selection(connection: Connection, org: str, object: str, selection: str) -> bool:
    """Keep what selects the records; when it is another than before, the next run reads from the beginning."""
    changed = connection.execute(
        text(
            "UPDATE headwater.object SET selection = :selection, cursor_at = NULL"
            " WHERE org = :org AND object = :object AND selection <> :selection"
        ),
        {"org": org, "object": object, "selection": selection},
    )
    return changed.rowcount > 0


def read_selection(connection: Connection, org: str, object: str) -> str | None:
    """Return what selected the records when they were last read; None before first contact."""
    return connection.execute(
        text("SELECT selection FROM headwater.object WHERE org = :org AND object = :object"),
        {"org": org, "object": object},
    ).scalar_one_or_none()


def move_idle_cursor(
    connection: Connection, org: str, object: str, *, seen: datetime | None, to: datetime, back: bool = False
) -> bool:
    """Move the cursor over a window in which nothing was found, unless it is no longer where the window began."""
    moved = connection.execute(
        text(
            "UPDATE headwater.object SET cursor_at = CASE WHEN :back THEN :to ELSE greatest(cursor_at, :to) END,"
            " first_loaded_at = coalesce(first_loaded_at, now())"
            " WHERE org = :org AND object = :object AND cursor_at IS NOT DISTINCT FROM CAST(:seen AS timestamptz)"
        ),
        {"org": org, "object": object, "seen": seen, "to": to, "back": back},
    )
    return moved.rowcount > 0


def anything_loaded(connection: Connection, org: str) -> bool:
    """Return whether the first load of at least one of the org's objects is complete."""
    return bool(
        connection.execute(
            text("SELECT EXISTS (SELECT FROM headwater.object WHERE org = :org AND first_loaded_at IS NOT NULL)"),
            {"org": org},
        ).scalar_one()
    )


def deletions_told(connection: Connection, org: str, object: str) -> tuple[bool, datetime | None]:
    """Return whether the object's first load is complete, and up to when the org has told every deletion."""
    row = connection.execute(
        text(
            "SELECT first_loaded_at IS NOT NULL AS loaded, deletions_at FROM headwater.object"
            " WHERE org = :org AND object = :object"
        ),
        {"org": org, "object": object},
    ).one_or_none()
    return (row.loaded, row.deletions_at) if row else (False, None)


def note_deletions(connection: Connection, org: str, object: str, at: datetime | None) -> None:
    """Keep up to when the org has told every deletion; None: ask anew, as the first time."""
    connection.execute(
        text("UPDATE headwater.object SET deletions_at = :at WHERE org = :org AND object = :object"),
        {"org": org, "object": object, "at": at},
    )

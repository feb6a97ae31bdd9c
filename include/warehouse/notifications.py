"""Keep what people were told: a line per change, and per channel whether it has arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

# What could not be sent within a day is no news any more.
_NEWS_FOR = "interval '1 day'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Hold one thing that a channel has not been told yet."""

    notification_id: int
    all_clear: bool
    event: str
    title: str
    message: str
    path: str
    at: datetime
    key: str = ""


def open_keys(connection: Connection, org: str, keys: Sequence[str]) -> set[str]:
    """Return which of these matters people know of and that are not over."""
    found = connection.execute(
        text("SELECT key FROM headwater.notification WHERE org = :org AND key = ANY(:keys) AND resolved_at IS NULL"),
        {"org": org, "keys": list(keys)},
    )
    return set(found.scalars())


def known_keys(connection: Connection, org: str, keys: Sequence[str]) -> set[str]:
    """Return which of these matters were ever told."""
    found = connection.execute(
        text("SELECT DISTINCT key FROM headwater.notification WHERE org = :org AND key = ANY(:keys)"),
        {"org": org, "keys": list(keys)},
    )
    return set(found.scalars())


def raise_notification(
    connection: Connection,
    org: str,
    *,
    key: str,
    event: str,
    title: str,
    message: str,
    path: str,
    once: bool,
    channels: Sequence[str],
) -> None:
    """Write that something began, to be told over these channels; nothing when another task has just done so."""
    raised = connection.execute(
        text(
            "INSERT INTO headwater.notification (org, key, event, title, message, path, resolved_at)"
            " VALUES (:org, :key, :event, :title, :message, :path, CASE WHEN :once THEN now() END)"
            " ON CONFLICT (org, key) WHERE resolved_at IS NULL DO NOTHING RETURNING notification_id"
        ),
        {"org": org, "key": key, "event": event, "title": title, "message": message, "path": path, "once": once},
    ).scalar()
    if raised is not None:
        _let_wait(connection, raised, channels, all_clear=False)


def resolve_notification(connection: Connection, org: str, key: str) -> None:
    """Write that something is over: who was told that it began is told, who was not need not be."""
    over = connection.execute(
        text(
            "UPDATE headwater.notification SET resolved_at = now()"
            " WHERE org = :org AND key = :key AND resolved_at IS NULL RETURNING notification_id"
        ),
        {"org": org, "key": key},
    ).scalar()
    if over is None:
        return
    connection.execute(
        text(
            "UPDATE headwater.notification_delivery SET state = 'dropped', cause = 'it was over before it was sent'"
            " WHERE notification_id = :id AND state = 'waiting'"
        ),
        {"id": over},
    )
    told = connection.execute(
        text("SELECT channel FROM headwater.notification_delivery WHERE notification_id = :id AND state = 'sent'"),
        {"id": over},
    )
    _let_wait(connection, over, list(told.scalars()), all_clear=True)


def take_waiting(connection: Connection, org: str, channel: str) -> list[Waiting]:
    """Return what the channel has not been told, oldest first; it is locked until the transaction ends."""
    connection.execute(
        text(
            "UPDATE headwater.notification_delivery AS d SET state = 'dropped' FROM headwater.notification AS n"
            " WHERE n.notification_id = d.notification_id AND n.org = :org AND d.channel = :channel"
            f" AND d.state = 'waiting' AND d.written_at < now() - {_NEWS_FOR}"
        ),
        {"org": org, "channel": channel},
    )
    rows = connection.execute(
        text(
            "SELECT d.notification_id, d.all_clear, n.event, n.title, n.message, n.path, n.key,"
            " CASE WHEN d.all_clear THEN n.resolved_at ELSE n.raised_at END AS at"
            " FROM headwater.notification_delivery AS d JOIN headwater.notification AS n USING (notification_id)"
            " WHERE n.org = :org AND d.channel = :channel AND d.state = 'waiting'"
            " ORDER BY d.written_at, d.notification_id FOR UPDATE OF d SKIP LOCKED"
        ),
        {"org": org, "channel": channel},
    )
    return [Waiting(**row) for row in rows.mappings()]


def note_sent(connection: Connection, channel: str, sent: Sequence[Waiting]) -> None:
    """Write that a channel took these."""
    _note(connection, channel, sent, "state = 'sent', sent_at = now(), tries = tries + 1, cause = ''", "")


def note_unsent(connection: Connection, channel: str, waiting: Sequence[Waiting], cause: str) -> None:
    """Write why a channel did not take these; they go on waiting."""
    _note(connection, channel, waiting, "tries = tries + 1, cause = :cause", cause)


def _note(connection: Connection, channel: str, which: Sequence[Waiting], change: str, cause: str) -> None:
    for each in which:
        connection.execute(
            text(
                f"UPDATE headwater.notification_delivery SET {change}"
                " WHERE notification_id = :id AND channel = :channel AND all_clear = :all_clear"
            ),
            {"id": each.notification_id, "channel": channel, "all_clear": each.all_clear, "cause": cause},
        )


def _let_wait(connection: Connection, notification_id: int, channels: Sequence[str], *, all_clear: bool) -> None:
    for channel in channels:
        connection.execute(
            text(
                "INSERT INTO headwater.notification_delivery (notification_id, channel, all_clear)"
                " VALUES (:id, :channel, :all_clear) ON CONFLICT DO NOTHING"
            ),
            {"id": notification_id, "channel": channel, "all_clear": all_clear},
        )

"""What people were told: searched, a page at a time, with what became of each message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

# What a person may filter by, and the condition behind it: the only text that gets into the statement.
STATES = {
    "open": "n.resolved_at IS NULL",
    "over": "n.resolved_at IS NOT NULL",
    "waiting": "EXISTS (SELECT FROM headwater.notification_delivery AS w"
    " WHERE w.notification_id = n.notification_id AND w.state = 'waiting')",
    "never arrived": "EXISTS (SELECT FROM headwater.notification_delivery AS w"
    " WHERE w.notification_id = n.notification_id AND w.state = 'dropped')",
}

_MATCHING = """
  FROM headwater.notification AS n
 WHERE n.org = :org
   AND (:search = '' OR position(lower(:search) IN lower(concat_ws(' ', n.event, n.title, n.message))) > 0)
"""

_DELIVERIES = """
SELECT d.notification_id, d.channel, d.all_clear, d.state, d.tries, d.cause, d.written_at, d.sent_at
  FROM headwater.notification_delivery AS d
 WHERE d.notification_id = ANY(:ids) ORDER BY d.all_clear, d.channel
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Hold what became of one message over one channel; `all_clear`: it told that the matter is over."""

    channel: str
    all_clear: bool
    state: str  # waiting | sent | dropped
    tries: int
    cause: str
    written_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Hold one matter that people were told, or were to be told."""

    notification_id: int
    event: str
    title: str
    message: str
    path: str
    raised_at: datetime
    resolved_at: datetime | None
    deliveries: tuple[Delivery, ...]

    @property
    def at_once(self) -> bool:
        """Return whether it happened and was over with that."""
        return self.resolved_at == self.raised_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifications:
    """Hold one page of matters, the newest first, and how many match in all."""

    notifications: tuple[Notification, ...]
    total: int


def notifications_overview(
    engine: Engine,
    org: str,
    *,
    search: str = "",
    state: str = "",
    limit: int = 50,
    offset: int = 0,
    before: int | None = None,
) -> Notifications:
    """Return what an org's people were told whose event, title or message contains `search`; `state`: of STATES.

    With `before` only older matters are returned; all that match are counted.
    """
    bound = {"org": org, "search": search, "limit": limit, "offset": offset, "before": before}
    older = "" if before is None else " AND n.notification_id < :before"
    matching = _MATCHING + (f" AND {STATES[state]}" if state else "")
    with transaction(engine) as connection:
        total = connection.execute(text("SELECT count(*)" + matching), bound).scalar_one()
        rows = connection.execute(
            text(
                "SELECT n.notification_id, n.event, n.title, n.message, n.path, n.raised_at, n.resolved_at"
                + matching
                + older
                + " ORDER BY n.notification_id DESC LIMIT :limit OFFSET :offset"
            ),
            bound,
        ).mappings()
        found = [dict(row) for row in rows]
        delivered: dict[int, list[Delivery]] = {each["notification_id"]: [] for each in found}
        for row in connection.execute(text(_DELIVERIES), {"ids": list(delivered)}).mappings():
            fields = dict(row)
            delivered[fields.pop("notification_id")].append(Delivery(**fields))
    return Notifications(
        notifications=tuple(
            Notification(**each, deliveries=tuple(delivered[each["notification_id"]])) for each in found
        ),
        total=total,
    )

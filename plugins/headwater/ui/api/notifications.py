"""What people were told."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from headwater.ui.api.addressed import TheOrg
from headwater.ui.api.answers import AfterNumber, Answer, Counted, Limit, Moment, Search, cut, number
from headwater.ui.listing import plain
from headwater.ui.warehouse import Warehouse
from include.warehouse.overview import notifications_overview

router = APIRouter(tags=["Notifications"])


class DeliveryAnswer(Answer):
    """Say what became of one message over one channel."""

    channel: str
    all_clear: bool = Field(description="It told that the matter is over.")
    state: Literal["waiting", "sent", "dropped"]
    tries: int
    cause: str
    written_at: Moment
    sent_at: Moment | None


class NotificationAnswer(Answer):
    """Hold one matter that people were told, or were to be told."""

    notification_id: int
    event: str
    title: str
    message: str
    path: str = Field(description="Of the page that says more, below Airflow's address.")
    raised_at: Moment
    resolved_at: Moment | None
    deliveries: tuple[DeliveryAnswer, ...]


class NotificationsAnswer(Counted[NotificationAnswer]):
    """Hold one page of matters, the newest first."""


@router.get("/orgs/{org}/notifications", summary="List what people were told")
def notifications(
    engine: Warehouse,
    org: TheOrg,
    q: Search = "",
    state: Annotated[
        Literal["", "open", "over", "waiting", "never arrived"], Query(description="Only matters in this state.")
    ] = "",
    limit: Limit = 50,
    after: AfterNumber = None,
) -> NotificationsAnswer:
    """Return what an org's people were told, searched and filtered."""
    found = notifications_overview(engine, org.org, search=plain(q), state=state, limit=limit + 1, before=number(after))
    items, following = cut(list(found.notifications), limit, lambda each: each.notification_id)
    return NotificationsAnswer.model_validate({"items": items, "next": following, "total": found.total})

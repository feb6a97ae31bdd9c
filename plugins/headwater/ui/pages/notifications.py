"""The page on notifications: what people were told, when, over which channel, and whether it arrived."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from headwater.ui.capabilities import MaySeeUnmasked
from headwater.ui.listing import PAGE_SIZE, read_listing
from headwater.ui.rendering import show
from headwater.ui.warehouse import ChosenOrg, Warehouse, no_such_org
from include.config.loader import load_definitions
from include.config.notify import ChannelDefinition, Event
from include.warehouse.overview import notifications_overview
from include.warehouse.overview.notifications import STATES

router = APIRouter()


@router.get("/notifications")
def notifications(request: Request, engine: Warehouse, chosen: ChosenOrg, unmasked: MaySeeUnmasked) -> Response:
    """Show what an org's people were told (`?q=`, `?state=`), and over which channels they would be told now."""
    org, orgs = chosen
    if org is None:
        return no_such_org(request, "notifications", orgs)
    root = request.scope.get("root_path", "")
    listing = read_listing(
        request.query_params, path=f"{root}/notifications", sorts=("raised",), filters=("org", "state")
    )
    state = listing.filters["state"]
    definition = load_definitions().orgs.get(org.org)
    channels = {each.name: in_words(each, unmasked=unmasked) for each in definition.notify} if definition else {}
    return show(
        request,
        "notifications.html",
        tab="notifications",
        org=org,
        orgs=orgs,
        found=notifications_overview(
            engine,
            org.org,
            search=listing.search,
            state=state if state in STATES else "",
            limit=PAGE_SIZE,
            offset=listing.offset,
        ),
        listing=listing,
        states=tuple(STATES),
        page_size=PAGE_SIZE,
        channels=channels,
        events={each.name: each.events for each in definition.notify} if definition else {},
        every_event=len(Event),
    )


def in_words(channel: ChannelDefinition, *, unmasked: bool) -> str:
    """Return a channel as a person calls it; recipients by name only for those who may see them."""
    if channel.webhook:
        return f"webhook {channel.webhook}"
    count = len(channel.mail)
    whom = ", ".join(channel.mail) if unmasked else f"{count} {'recipient' if count == 1 else 'recipients'}"
    return f"mail to {whom}"

"""Bring the week's facts, the digest and the mail server of an org together.

Import it inside `execute()` only, as `hooks`.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from headwater.hooks import airflow_url, checks, messenger, org_definition, warehouse_engine
from include.notifications.digest import compose_digest
from include.notifications.health import mutes_of, page_of
from include.notifications.send_digest import digest_key, send_digest
from include.quality.digest import moments_before, sum_up
from include.warehouse.engine import transaction
from include.warehouse.health.digests import week_facts
from include.warehouse.health.mutes import mutes


def send_org_digest(org_name: str, *, now: datetime, again: str = "") -> str:
    """Send an org's digest and return "" , or why there was none to send.

    Args:
        org_name: of the definition.
        now: the moment.
        again: a name for this time, to sum up what is until now, though the period was told already.
    """
    org, engine = org_definition(org_name), warehouse_engine()
    definition, zone = org.health.digest, ZoneInfo(org.health.digest.time_zone)
    low, high = definition.period(now)
    if again:
        low, high = now - (high - low), now
    moments = moments_before(low, high)
    facts = week_facts(engine, org.org, low=low, high=high, moments=moments, objects=org.all_sources)
    if facts is None:
        return f"nothing was assessed before {high:%Y-%m-%d %H:%M} UTC; run {org.org}_health, or choose 'Until now'"
    with transaction(engine) as connection:
        said = (*mutes_of(checks()), *mutes(connection, org.org))
    muted = [each.check_id for each in said if each.holds_on(high.date())]
    digest = sum_up(org.org, facts, low=low, high=high, tolerance=org.health.tolerance, without=muted)
    sent = send_digest(
        engine,
        org,
        key=digest_key(high, again),
        title=f"Digest of {org.org} up to {high.astimezone(zone):%Y-%m-%d %H:%M}",
        path=page_of(org.org),
        compose=lambda: compose_digest(digest, zone=zone, airflow_url=airflow_url()),
        messenger=messenger,
    )
    return (
        "" if sent else f"the digest up to {high:%Y-%m-%d %H:%M} UTC was sent already; choose 'Until now' for another"
    )

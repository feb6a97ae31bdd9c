"""Serve what Prometheus scrapes: the one route that asks for no login, but for a token of its own.

A scraper signs in nowhere and renews nothing, so it sends the password of the connection `headwater_metrics` as bearer
token. Without that connection, or with an empty password, nobody gets anything. The figures hold no personal data:
names of orgs, objects, pushes, platforms, connections and channels, and counts.
"""

from __future__ import annotations

import hmac
import logging

from fastapi import Request
from sqlalchemy.exc import DBAPIError
from starlette.responses import PlainTextResponse, Response

from include.errors import NotReady, WarehouseDown

log = logging.getLogger(__name__)

PATH = "/metrics"
CONNECTION = "headwater_metrics"
_ASK = {"WWW-Authenticate": 'Bearer realm="headwater metrics"'}


def metrics(request: Request) -> Response:
    """Send the figures as they are now, to a scraper that knows the token."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given.strip():
        return PlainTextResponse("A bearer token is needed.\n", status_code=401, headers=_ASK)
    token: str = request.app.state.metrics_token().strip()
    if not token:
        log.warning(
            "metrics were asked for, and the connection %r does not exist or holds no password: nothing is sent; create"
            " it with a token as password, and give the same to the scraper",
            CONNECTION,
        )
        return PlainTextResponse("Metrics are switched off.\n", status_code=404)
    if not hmac.compare_digest(given.strip().encode(), token.encode()):
        log.warning("metrics were asked for with another token than that of the connection %r", CONNECTION)
        return PlainTextResponse("This is not the token.\n", status_code=401, headers=_ASK)
    return _scraped(request)


def _scraped(request: Request) -> Response:
    from prometheus_client.exposition import choose_encoder

    from headwater.ui.pages.measured import registry_of

    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    engine = None
    try:
        engine = request.app.state.open_warehouse()
        body = encode(registry_of(engine))
    except (WarehouseDown, NotReady, DBAPIError) as error:
        log.warning("metrics say only that the warehouse does not answer: %s", type(error).__name__)
        body = encode(registry_of(None))
    return Response(body, media_type=content_type)

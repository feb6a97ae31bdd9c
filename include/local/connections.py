"""Make the connections and pools that the DAGs need, and mend those that differ from what this installation needs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from include.config.platforms import PLATFORMS
from include.local.airflow_rest import AirflowRest, Json, quoted_path
from include.local.plan import WAREHOUSE_DATABASE
from include.local.postgres import USER
from include.local.site import Site, read_json, write_privately

# Platforms whose sandbox a local installation runs, each behind a connection of its own.
SANDBOXED = ("insider_one", "intercom", "klaviyo", "hubspot", "braze", "webhook")

_POOLS = Path(__file__).with_name("pools.json")
_HIDDEN = "***"  # what Airflow shows in the place of a secret


def wanted_connections(site: Site) -> dict[str, Json]:
    """Return the connections of this installation, by id: warehouse, org, platforms, mails, token of the metrics."""
    from include.sandbox.org.credentials import CLIENT_ID, CLIENT_SECRET

    settings, secrets = site.settings, site.secrets()
    return {
        "headwater_warehouse": {
            "conn_type": "postgres",
            "description": "The warehouse: the embedded PostgreSQL of this installation",
            "host": "127.0.0.1",
            "port": settings.warehouse_port,
            "schema": WAREHOUSE_DATABASE,
            "login": USER,
            "password": secrets.postgres_password,
        },
        "salesforce_demo": {
            "conn_type": "salesforce",
            "description": "The sandbox org of this installation",
            "extra": json.dumps(
                {
                    "consumer_key": CLIENT_ID,
                    "consumer_secret": CLIENT_SECRET,
                    "login_url": site.org_url,
                    "instance_url": site.org_url,
                }
            ),
        },
        "headwater_metrics": {
            "conn_type": "http",
            "description": "Its password is the bearer token of who scrapes /headwater/metrics",
            "password": secrets.metrics_token,
        },
        "smtp_default": {
            "conn_type": "smtp",
            "description": "The mail sink of this installation: it shows mails and sends none",
            "host": "127.0.0.1",
            "port": settings.mail_port,
            "extra": json.dumps({"disable_ssl": True, "disable_tls": True, "from_email": "headwater@localhost"}),
        },
        **{f"{platform}_demo": _platform_connection(platform, site.destination_url) for platform in SANDBOXED},
    }


def sandbox_access(platform: str, url: str) -> Json:
    """Return what a connection to a sandbox platform holds: host, login, password and extra, where there is one.

    Args:
        platform: its name in definitions.
        url: where the sandbox platforms are served.
    """
    from include.sandbox.braze.credentials import KEY as BRAZE_KEY
    from include.sandbox.destinations.app import prefix
    from include.sandbox.hubspot.credentials import TOKEN as HUBSPOT_TOKEN
    from include.sandbox.hubspot.credentials import UNIQUE_PROPERTY
    from include.sandbox.insider_one.credentials import PARTNER
    from include.sandbox.insider_one.credentials import TOKEN as INSIDER_TOKEN
    from include.sandbox.intercom.credentials import TOKEN as INTERCOM_TOKEN
    from include.sandbox.klaviyo.credentials import KEY as KLAVIYO_KEY
    from include.sandbox.webhook.credentials import SECRET

    own: dict[str, Json] = {
        "insider_one": {"login": PARTNER, "password": INSIDER_TOKEN},
        "intercom": {"password": INTERCOM_TOKEN},
        "klaviyo": {"password": KLAVIYO_KEY},
        "hubspot": {"password": HUBSPOT_TOKEN, "extra": {"unique_property": UNIQUE_PROPERTY}},
        "braze": {"password": BRAZE_KEY},
        "webhook": {"password": SECRET, "extra": {"path": "/inbox", "allow_private": True}},
    }
    return {"host": url + prefix(platform), **own[platform]}


def _platform_connection(platform: str, url: str) -> Json:
    held = sandbox_access(platform, url)
    extra = {"extra": json.dumps(held["extra"])} if "extra" in held else {}
    title = PLATFORMS[platform].title
    return {"conn_type": platform, "description": f"The sandbox of this installation for {title}", **held, **extra}


def ensure_connections(site: Site, rest: AirflowRest) -> list[str]:
    """Create what is missing, mend what differs, and return the ids of those that were touched.

    Airflow hides secrets, so what was written last is remembered as a hash; what can be seen is compared.
    """
    memory = site.settings.airflow_home / "connections.json"
    written = read_json(memory)
    touched = []
    for conn_id, wanted in wanted_connections(site).items():
        there = rest.get(f"/connections/{quoted_path(conn_id)}")
        body = {"connection_id": conn_id, **wanted}
        text = json.dumps(body, sort_keys=True)
        mark = hashlib.sha256((text + site.secrets().fernet_key).encode()).hexdigest()
        if there is not None and written.get(conn_id) == mark and same(there, wanted):
            continue
        if there is None:
            rest.post("/connections", body)
        else:
            rest.patch(f"/connections/{quoted_path(conn_id)}", body)
        touched.append(conn_id)
        written[conn_id] = mark
    if touched:
        write_privately(memory, json.dumps(written))
    return touched


def ensure_pools(rest: AirflowRest) -> list[str]:
    """Create the pools that are missing, and return their names; a person's other number of slots stays."""
    touched = []
    for name, wanted in json.loads(_POOLS.read_text(encoding="utf-8")).items():
        if rest.get(f"/pools/{quoted_path(name)}") is None:
            rest.post("/pools", {"name": name, **wanted})
            touched.append(name)
    return touched


def same(there: Json, wanted: Json) -> bool:
    """Say whether a connection, as Airflow shows it, can be the wanted one: hidden values count as equal."""
    return all(_equal(there.get(key), value, key) for key, value in wanted.items())


def _equal(there: Any, wanted: Any, key: str) -> bool:
    if key != "extra":
        return bool(there in (wanted, _HIDDEN))
    shown = json.loads(there or "{}")
    needed = json.loads(wanted or "{}")
    return set(shown) == set(needed) and all(shown[name] in (value, _HIDDEN) for name, value in needed.items())

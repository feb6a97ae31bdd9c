"""Eight tasks sign in at once to an org whose refresh tokens are good for one use; and one of them is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import urllib3
from sqlalchemy import Engine, text

from headwater.salesforce_hook import HeadwaterSalesforceHook
from include.errors import AuthError, RetryableError
from include.salesforce.auth import Credentials, session_key
from include.salesforce.client import SalesforceClient
from include.sandbox.org import credentials as org_credentials
from include.settings import PROJECT_ROOT
from include.warehouse.calls.sessions import WarehouseTokens
from include.warehouse.engine import transaction
from tests.headwater.connected import connect

TASKS = 8
KILLED = """
import os, sys
from include.salesforce.auth import Credentials
from include.salesforce.client import SalesforceClient
from include.warehouse.engine import open_warehouse
from include.warehouse.calls.sessions import WarehouseTokens
tokens = WarehouseTokens(open_warehouse(sys.argv[1]), encrypt=lambda text: os._exit(9), decrypt=lambda text: text)
SalesforceClient(Credentials(kind="refresh_token", login_url=sys.argv[2], client_id=sys.argv[3],
                             client_secret=sys.argv[4], refresh_token=sys.argv[5]), tokens=tokens).identity()
"""


@pytest.fixture
def rotating(sandboxes: dict[str, str]) -> Iterator[Credentials]:
    """Credentials for an org that rotates refresh tokens; the next test finds it as it was."""
    url = sandboxes["org"]
    urllib3.request("POST", f"{url}/sandbox/signin", json={"rotate": True})
    yield Credentials(
        kind="refresh_token",
        login_url=url,
        client_id=org_credentials.CLIENT_ID,
        client_secret=org_credentials.CLIENT_SECRET,
        refresh_token=org_credentials.REFRESH_TOKEN,
    )
    urllib3.request("POST", f"{url}/sandbox/signin", json={"rotate": False})
    urllib3.request("POST", f"{url}/sandbox/expire-sessions", json={"forgive": True})


def store(warehouse: Engine) -> WarehouseTokens:
    return WarehouseTokens(warehouse, encrypt=lambda text: text[::-1], decrypt=lambda text: text[::-1])


def test_eight_tasks_share_each_refresh(rotating: Credentials, warehouse: Engine) -> None:
    """Three times all of them lose their session at once; each time one signs in, and no token is used twice."""
    clients = [SalesforceClient(rotating, tokens=store(warehouse)) for _ in range(TASKS)]
    kept = set()
    with ThreadPoolExecutor(TASKS) as pool:
        for _ in range(3):
            used = list(pool.map(lambda client: client.limits()["DailyApiRequests"]["Max"], clients))
            tokens = {client._rest.session().access_token for client in clients}
            assert (len(used), len(tokens)) == (TASKS, 1)
            kept.add(json.loads(store(warehouse).get(session_key(rotating)) or "")["refresh_token"])
            urllib3.request("POST", f"{rotating.login_url}/sandbox/expire-sessions", json={})
    assert len(kept) == 3
    for client in clients:
        client.close()


def test_what_is_stored_shows_no_token(rotating: Credentials, warehouse: Engine) -> None:
    """It is encrypted, the next refresh token too."""
    with SalesforceClient(rotating, tokens=store(warehouse)) as client:
        client.identity()
        token = client._rest.session()
    with transaction(warehouse) as connection:
        row = str(connection.execute(text("SELECT * FROM headwater.session")).one())
    assert token.refresh_token
    assert token.refresh_token not in row
    assert token.access_token not in row


def test_a_task_killed_before_storing_is_named_as_the_cause(
    rotating: Credentials, warehouse: Engine, warehouse_url: str
) -> None:
    """The org has spent the token and nobody knows the next one: first waited for, then said, never a wrong cause."""
    command = [sys.executable, "-c", KILLED, warehouse_url, rotating.login_url, rotating.client_id]
    killed = subprocess.run([*command, rotating.client_secret, rotating.refresh_token], cwd=PROJECT_ROOT, check=False)
    assert killed.returncode == 9
    with SalesforceClient(rotating, tokens=store(warehouse)) as client:
        with pytest.raises(RetryableError, match="not stored yet"):
            client.identity()
        age(warehouse, timedelta(minutes=2))
        for _ in range(2):
            with pytest.raises(AuthError, match="only a new authorisation helps"):
                client.identity()


def test_tasks_of_ones_own_share_the_session_too(
    rotating: Credentials, site: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hook for them signs in with the same token, which must not be used twice."""
    extra = {
        "consumer_key": rotating.client_id,
        "consumer_secret": rotating.client_secret,
        "refresh_token": rotating.refresh_token,
        "login_url": rotating.login_url,
    }
    connect(monkeypatch, "mine", conn_type="salesforce", extra=extra)
    for _ in range(2):
        assert HeadwaterSalesforceHook("mine").get_conn().query("SELECT COUNT() FROM Contact")["totalSize"] > 0
        urllib3.request("POST", f"{rotating.login_url}/sandbox/expire-sessions", json={})


def test_a_task_killed_before_sending_costs_nothing(rotating: Credentials, warehouse: Engine) -> None:
    """The note alone stops nobody for longer than a minute."""
    with store(warehouse).turn(session_key(rotating)) as turn:
        turn.sending()
    age(warehouse, timedelta(minutes=2))
    with SalesforceClient(rotating, tokens=store(warehouse)) as client:
        assert client.identity().org_id.startswith("00D")


def age(warehouse: Engine, by: timedelta) -> None:
    with transaction(warehouse) as connection:
        connection.execute(text("UPDATE headwater.session SET sent_at = sent_at - :by"), {"by": by})

"""A connection is checked by a command: who the org is, what its user may do, and six symptoms with their cause."""

from __future__ import annotations

import pytest
import urllib3
from sqlalchemy import Engine, text

from headwater import hooks
from headwater.check_connection import main
from include.sandbox.org import credentials as org_credentials
from include.warehouse.engine import transaction
from tests.headwater.connected import client_credentials, connect

SECRETS = (org_credentials.CLIENT_SECRET, org_credentials.REFRESH_TOKEN, org_credentials.PASSWORD)


@pytest.fixture(autouse=True)
def _fresh_definitions() -> None:
    hooks.definitions.cache_clear()


def check(capsys: pytest.CaptureFixture[str], *, org: str = "demo") -> tuple[int, str]:
    code = main([org])
    said = capsys.readouterr()
    assert not any(secret in said.out + said.err for secret in SECRETS)
    return code, said.out + said.err


def test_a_fresh_connection_is_described(site: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Who the org is, what is left of its calls, what may be read; and that nothing has been loaded yet."""
    code, said = check(capsys)

    assert code == 1
    assert "Signs in by client credentials" in said
    assert "Id          00D" in said
    assert "API version 63.0, newest " in said
    assert " left in 24 h" in said
    assert "ok  read Contact" in said
    assert "ok  read deleted records (queryAll)" in said
    assert "ok  Bulk API 2.0" in said
    assert "ok  Sign-in fails" in said
    assert "!!  Nothing is synced: the first load of Account, Contact, Lead, Opportunity is not complete" in said


def test_a_check_costs_few_calls(site: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Two composites, the limits, the Bulk jobs, and one describe of what pushes read."""
    urllib3.request("POST", f"{site['org']}/sandbox/calls/reset", json={})
    check(capsys)
    with transaction(hooks.warehouse_engine()) as connection:
        spent = connection.execute(text("SELECT sum(calls) FROM headwater.api_call")).scalar_one()
    assert spent == 5


def test_a_sign_in_that_fails_is_a_finding(
    site: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its cause and which key to mend."""
    connect(
        monkeypatch,
        "salesforce_demo",
        conn_type="salesforce",
        extra=client_credentials(site["org"], consumer_secret="wrong"),
    )
    code, said = check(capsys)

    assert code == 1
    assert "!!  Sign-in fails" in said
    assert "mend consumer_secret" in said
    assert "??  No fields: there is no sign-in" in said


def test_a_password_connection_is_warned(
    site: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By SOAP, without a connected app, it still works; its end is named."""
    connect(
        monkeypatch,
        "salesforce_demo",
        conn_type="salesforce",
        login=org_credentials.USERNAME,
        password=org_credentials.PASSWORD,
        extra={"security_token": org_credentials.SECURITY_TOKEN, "login_url": site["org"]},
    )
    _, said = check(capsys)

    assert "Signs in by password (SOAP login)" in said
    assert "ok  Sign-in fails" in said
    assert "retires with Summer '27 (June 2027)" in said


def test_another_org_behind_the_connection_is_seen(
    site: dict[str, str], warehouse: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before a run is refused because of it."""
    with transaction(warehouse) as connection:
        connection.execute(
            text("INSERT INTO headwater.org (org, org_id, instance_url) VALUES ('demo', '00D00000000000X', 'x')")
        )
    code, said = check(capsys)

    assert code == 1
    assert "and the warehouse holds 00D00000000000X" in said


def test_an_unknown_org_is_said_to_be_one(site: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """With the names that there are."""
    assert main([]) == 2
    assert "ORG=demo" in capsys.readouterr().err
    code, said = check(capsys, org="nobody")
    assert code == 2
    assert "no org is called 'nobody'; defined: demo" in said

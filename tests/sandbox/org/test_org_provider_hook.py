"""Airflow's Salesforce provider, unmodified, with the connection that the sheet gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from include.sandbox.org import sheet
from include.sandbox.org.serving import Doors
from include.sandbox.org.tls.authority import Certificate
from tests.sandbox.org.secured import SecuredOrg


@pytest.fixture
def hook(secured_org: SecuredOrg, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a hook with the connection that is printed."""
    from airflow.providers.salesforce.hooks.salesforce import SalesforceHook

    for name, value in secured_org.environment.items():
        monkeypatch.setenv(name, value)
    doors = Doors(host="127.0.0.1", port=1, tls_port=2, proxy_port=3)
    printed = sheet.snippets(doors, Certificate(authority=Path("a"), chain=Path("b"), key=Path("c")))
    (line,) = [lines for client, lines in printed.items() if client.startswith("Airflow")]
    name, _, value = line.removeprefix("export ").strip().partition("=")
    monkeypatch.setenv(name, value.strip("'"))
    return SalesforceHook(salesforce_conn_id="salesforce_default")


def test_the_hook_finds_the_org(hook: Any) -> None:
    """Its own check of a connection says yes."""
    assert hook.test_connection() == (True, "Connection successfully tested")


def test_the_hook_reads(hook: Any) -> None:
    """Records, deleted ones too, and the fields of an object."""
    assert hook.make_query("SELECT Id, Name FROM Contact")["totalSize"] == 200
    assert hook.make_query("SELECT Id FROM Contact", include_deleted=True)["totalSize"] >= 200
    assert {"Id", "LastName", "SystemModstamp"} <= set(hook.get_available_fields("Contact"))
    assert hook.get_object_from_salesforce("Lead", ["Id", "Company"])["totalSize"] == 100


def test_the_hook_makes_a_frame_of_records(hook: Any) -> None:
    """Its stamps become numbers; it makes the names of columns small."""
    found = hook.get_object_from_salesforce("Opportunity", ["Id", "Name", "CreatedDate"])
    frame = hook.object_to_df(found["records"], coerce_to_timestamp=True)
    assert len(frame) == found["totalSize"]
    assert frame["createddate"].min() > 1_500_000_000


def test_a_wrong_connection_is_told(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of the org."""
    from airflow.providers.salesforce.hooks.salesforce import SalesforceHook

    monkeypatch.setenv("AIRFLOW_CONN_SALESFORCE_WRONG", '{"conn_type": "salesforce", "login": "a", "password": "b",'
                       ' "extra": {"security_token": "c"}}')  # fmt: skip
    ok, said = SalesforceHook(salesforce_conn_id="salesforce_wrong").test_connection()
    assert ok is False
    assert "INVALID_LOGIN" in said

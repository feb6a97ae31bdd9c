"""Pages and locators of REST queries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from include.sandbox.org.cursors import Cursors
from tests.sandbox.org.conftest import RunningOrg, V


def _all_pages(org: RunningOrg, first: dict, **headers: str) -> list[dict]:
    records = list(first["records"])
    page = first
    while not page["done"]:
        page = org.http.get(page["nextRecordsUrl"], headers=headers).json()
        assert page["totalSize"] == first["totalSize"]
        records += page["records"]
    assert "nextRecordsUrl" not in page
    return records


SMALL = {"Sforce-Query-Options": "batchSize=200"}


@pytest.mark.parametrize("order", ["", " ORDER BY SystemModstamp", " ORDER BY LastName DESC NULLS LAST"])
def test_pages_give_every_record_once_in_order(org: RunningOrg, order: str) -> None:
    """Whatever the order, the pages together are the result."""
    soql = f"SELECT Id, SystemModstamp FROM Contact{order}"
    whole = org.query(soql)["records"]
    assert _all_pages(org, org.query(soql + " LIMIT 2000", **SMALL), **SMALL) == whole
    assert len({each["Id"] for each in whole}) == 400


def test_a_locator_can_be_used_again_and_edited(org: RunningOrg) -> None:
    """It is an id and an absolute offset."""
    first = org.query("SELECT Id FROM Contact", **SMALL)
    assert (first["totalSize"], first["done"], len(first["records"])) == (400, False, 200)
    path, _, offset = first["nextRecordsUrl"].rpartition("-")
    assert offset == "200"
    once, twice = org.http.get(first["nextRecordsUrl"]).json(), org.http.get(first["nextRecordsUrl"]).json()
    assert once == twice
    assert org.http.get(f"{path}-399").json()["records"] == once["records"][-1:]
    assert org.http.get(first["nextRecordsUrl"].replace("/query/", "/queryAll/")).json()["records"] == once["records"]


def test_a_locator_keeps_deleted_records_visible(start_org: Callable[..., RunningOrg]) -> None:
    """A queryAll goes on as queryAll, though its locator says query."""
    org = start_org(contacts=300)
    gone = set(org.command("delete", object="Contact", n=250)["ids"])
    first = org.query("SELECT Id, IsDeleted FROM Contact", deleted=True, **SMALL)
    assert "/query/" in first["nextRecordsUrl"]
    records = _all_pages(org, first, **SMALL)
    assert {each["Id"] for each in records if each["IsDeleted"]} == gone
    assert org.query("SELECT COUNT() FROM Contact")["totalSize"] == 50


@pytest.mark.parametrize("locator", ["nonsense", "01g5g0000200001AAA-2000", "01g5g0000200001AAA-x"])
def test_a_bad_locator_is_refused(org: RunningOrg, locator: str) -> None:
    """With the code that clients look for."""
    answer = org.http.get(f"{V}/query/{locator}")
    expected = [{"message": "invalid query locator", "errorCode": "INVALID_QUERY_LOCATOR"}]
    assert (answer.status_code, answer.json()) == (400, expected)


def test_a_locator_survives_a_restart(org: RunningOrg) -> None:
    """The order, the conditions and deleted records are as they were; the numbers lie on disk."""
    soql = "SELECT Id, (SELECT Id FROM Tasks) FROM Contact WHERE LastName > 'b' ORDER BY LastName DESC"
    first = org.query(soql, deleted=True, **SMALL)
    before = org.http.get(first["nextRecordsUrl"]).json()
    running = org.org.cursors
    org.org.cursors = Cursors(org.org.clock, org.org.catalogue, org.org.home / "cursors")
    assert org.http.get(first["nextRecordsUrl"]).json() == before
    later = org.query("SELECT Id FROM Contact", **SMALL)["nextRecordsUrl"]
    assert later.rpartition("/")[2][:18] > first["nextRecordsUrl"].rpartition("/")[2][:18]
    org.org.cursors = running


def test_a_locator_lives_two_days(start_org: Callable[..., RunningOrg]) -> None:
    """Then it is refused, and its files are removed."""
    org = start_org(contacts=250, idle_seconds=1_000_000.0)
    url = org.query("SELECT Id FROM Contact", **SMALL)["nextRecordsUrl"]
    org.command("clock", offset=2 * 86_400 - 60)
    assert org.http.get(url).status_code == 200
    org.command("clock", offset=2 * 86_400 + 60)
    assert org.http.get(url).json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    org.query("SELECT Id FROM Contact", **SMALL)
    assert len(list((Path(org.org.home) / "cursors").iterdir())) == 2


def test_records_begin_with_their_attributes_and_keep_the_selected_order(org: RunningOrg) -> None:
    """Names come back in the org's own spelling."""
    record = org.query("select lastname, id, account.name, ACCOUNTID from contact where accountid != null limit 1")
    (only,) = record["records"]
    assert list(only) == ["attributes", "LastName", "Id", "Account", "AccountId"]
    assert only["Account"]["attributes"]["type"] == "Account"

"""What each way of writing does to a record's stamps, its deletion mark and its master."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from include.sandbox.org.writing import LeadConvert, Writer, convert_leads, delete_records, merge_records
from tests.sandbox.org.conftest import RunningOrg, V

Act = Callable[[RunningOrg], tuple[str, str]]  # acts, and returns object and Id of the record to look at


def _make(org: RunningOrg, kind: str, **fields: Any) -> str:
    answer = org.http.post(f"{V}/sobjects/{kind}", json=fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _writer(org: RunningOrg) -> Writer:
    (user,) = org.query("SELECT Id FROM User WHERE IsActive = true ORDER BY Id LIMIT 1")["records"]
    return Writer(user_id=user["Id"])


def _updated(org: RunningOrg) -> tuple[str, str]:
    made = _make(org, "Contact", LastName="Updated")
    org.command("clock", advance=60)
    org.http.patch(f"{V}/sobjects/Contact/{made}", json={"LastName": "Updated"})
    return "Contact", made


def _deleted(org: RunningOrg) -> tuple[str, str]:
    made = _make(org, "Contact", LastName="Deleted")
    org.command("clock", advance=60)
    org.http.delete(f"{V}/sobjects/Contact/{made}")
    return "Contact", made


def _taken_along(org: RunningOrg) -> tuple[str, str]:
    account = _make(org, "Account", Name="Taking")
    made = _make(org, "Contact", LastName="Taken", AccountId=account)
    org.command("clock", advance=60)
    org.http.delete(f"{V}/sobjects/Account/{account}")
    return "Contact", made


def _undeleted(org: RunningOrg) -> tuple[str, str]:
    kind, made = _deleted(org)
    org.command("clock", advance=60)
    org.command("undelete", object=kind, ids=[made])
    return kind, made


def _merged(org: RunningOrg) -> tuple[str, str, str, str]:
    master, loser = (_make(org, "Contact", LastName=each) for each in ("Master", "Loser"))
    task = _make(org, "Task", Subject="Of the loser", WhoId=loser)
    org.command("clock", advance=60)
    merged = merge_records(
        org.org, org.org.catalogue.objects["Contact"], {"Id": master, "Title": "Won"}, [loser], _writer(org)
    )
    assert (merged.success, merged.merged_ids, merged.updated_related_ids) == (True, (loser,), (task,))
    return master, loser, task, "Contact"


def _converted(org: RunningOrg) -> tuple[str, str]:
    lead = _make(org, "Lead", LastName="Convert", Company="Me Ltd")
    task = _make(org, "Task", Subject="Of the lead", WhoId=lead)
    org.command("clock", advance=60)
    (result,) = convert_leads(
        org.org, [LeadConvert(lead_id=lead, converted_status="Closed - Converted")], _writer(org)
    )  # fmt: skip
    assert result.success, result.errors
    return lead, task


def _visited(org: RunningOrg) -> tuple[str, str]:
    made = _make(org, "Contact", LastName="Visited")
    org.command("clock", advance=60)
    _make(org, "Task", Subject="Call", Status="Completed", ActivityDate="2026-05-05", WhoId=made)
    return "Contact", made


def _parent_of_a_deal(org: RunningOrg) -> tuple[str, str]:
    made = _make(org, "Account", Name="Summed up")
    org.command("clock", advance=60)
    _make(org, "Opportunity", Name="D", StageName="Closed Won", Amount=5, CloseDate="2026-05-05", AccountId=made)
    return "Account", made


@pytest.mark.parametrize(
    ("act", "system", "user", "deleted", "mastered"),
    [
        (lambda org: ("Contact", _make(org, "Contact", LastName="Fresh")), False, False, False, False),
        (_updated, True, True, False, False),
        (_deleted, True, True, True, False),
        (_taken_along, True, True, True, False),
        (_undeleted, True, True, False, False),
        (lambda org: ("Contact", _merged(org)[0]), True, True, False, False),
        (lambda org: ("Contact", _merged(org)[1]), True, True, True, True),
        (lambda org: ("Task", _merged(org)[2]), True, False, False, False),
        (lambda org: ("Lead", _converted(org)[0]), True, True, False, False),
        (lambda org: ("Task", _converted(org)[1]), True, False, False, False),
        (_visited, True, False, False, False),
        (_parent_of_a_deal, False, False, False, False),
    ],
    ids=[
        "create", "update", "delete", "deleted along", "undelete", "merge: master", "merge: loser", "merge: child",
        "convert", "convert: activity", "last activity", "roll-up",
    ],
)  # fmt: skip
def test_each_write_leaves_its_marks(
    org: RunningOrg, act: Act, *, system: bool, user: bool, deleted: bool, mastered: bool
) -> None:
    """A row: moves SystemModstamp, moves LastModifiedDate, IsDeleted, MasterRecordId is set."""
    kind, made = act(org)
    names = "CreatedDate, LastModifiedDate, SystemModstamp, IsDeleted"
    master = ", MasterRecordId" if kind in ("Account", "Contact", "Lead") else ""
    (row,) = org.query(f"SELECT {names}{master} FROM {kind} WHERE Id = '{made}'", deleted=True)["records"]
    assert (row["SystemModstamp"] > row["CreatedDate"]) is system
    assert (row["LastModifiedDate"] > row["CreatedDate"]) is user
    assert row["IsDeleted"] is deleted
    assert (row.get("MasterRecordId") is not None) is mastered


def test_audit_fields_can_be_dated_back_where_it_is_allowed(org: RunningOrg) -> None:
    """The old CreatedDate stays, SystemModstamp is now."""
    body = {"LastName": "Migrated", "CreatedDate": "2019-01-02T03:04:05Z"}
    refused = org.http.post(f"{V}/sobjects/Contact", json=body).json()[0]
    assert (refused["errorCode"], refused["fields"]) == ("INVALID_FIELD_FOR_INSERT_UPDATE", ["CreatedDate"])
    org.command("rules", audit_fields=True)
    made = _make(org, "Contact", **body)
    org.command("rules", audit_fields=False)
    row = org.http.get(f"{V}/sobjects/Contact/{made}").json()
    assert row["CreatedDate"] == row["LastModifiedDate"] == "2019-01-02T03:04:05.000+0000"
    assert row["SystemModstamp"] > row["CreatedDate"]


def test_fifteen_days_in_the_bin_and_then_gone(start_org: Callable[..., RunningOrg]) -> None:
    """Until then the record can come back with what went along; afterwards even queryAll knows nothing of it."""
    org = start_org(contacts=40, idle_seconds=1e9)
    account = _make(org, "Account", Name="Binned")
    contact = _make(org, "Contact", LastName="Binned too", AccountId=account)
    alone = _make(org, "Contact", LastName="Deleted before", AccountId=account)
    org.http.delete(f"{V}/sobjects/Contact/{alone}")
    org.http.delete(f"{V}/sobjects/Account/{account}")
    org.command("clock", advance=14 * 86_400)
    org.command("undelete", object="Account", ids=[account])
    rows = org.query(f"SELECT Id FROM Contact WHERE AccountId = '{account}'")["records"]
    assert [row["Id"] for row in rows] == [contact]
    org.http.delete(f"{V}/sobjects/Account/{account}")
    org.command("clock", advance=15 * 86_400 + 1)
    listed = f"('{contact}', '{alone}')"
    assert org.query(f"SELECT COUNT() FROM Contact WHERE Id IN {listed}", deleted=True)["totalSize"] == 0
    assert org.http.get(f"{V}/sobjects/Account/{account}").status_code == 404
    fresh = _make(org, "Account", Name="Never the same Id")
    assert fresh > account


def test_a_hard_delete_leaves_no_trace_but_the_log(org: RunningOrg) -> None:
    """queryAll doesn't find it, getDeleted does."""
    made = _make(org, "Contact", LastName="Hard")
    (result,) = delete_records(org.org, [made], _writer(org), hard=True)
    assert result.success
    assert org.query(f"SELECT COUNT() FROM Contact WHERE Id = '{made}'", deleted=True)["totalSize"] == 0
    assert org.org.database.rows("SELECT object FROM sandbox_gone WHERE id = $1", [made]) == [("Contact",)]

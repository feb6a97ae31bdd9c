"""The control plane: changes, late commits, faults, the log of calls."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.sandbox.org.conftest import RunningOrg, V


@pytest.mark.parametrize("name", ["Account", "Contact", "Lead", "Opportunity", "Task", "User"])
def test_touch_changes_exactly_n_records(org: RunningOrg, name: str) -> None:
    """They, and no others, have a new stamp and new values."""
    fields = ", ".join(each.name for each in org.org.catalogue.objects[name].fields if each.type != "address")
    before = {each["Id"]: each for each in org.query(f"SELECT {fields} FROM {name}")["records"]}
    ids = org.command("touch", object=name, n=5)["ids"]
    after = {each["Id"]: each for each in org.query(f"SELECT {fields} FROM {name}")["records"]}
    changed = {each for each in after if after[each] != before[each]}
    assert changed == set(ids)
    assert len(changed) == 5
    for each in changed:
        assert after[each]["SystemModstamp"] > before[each]["SystemModstamp"]
        differing = {field for field in after[each] if after[each][field] != before[each][field]}
        assert differing - {"SystemModstamp", "LastModifiedDate", "LastModifiedById"}


def test_the_same_seed_touches_the_same_records(start_org: Callable[..., RunningOrg]) -> None:
    """The draw depends on the seed alone."""
    org = start_org(contacts=100)
    assert org.command("touch", object="Contact", n=4, seed=3) == org.command("touch", object="Contact", n=4, seed=3)
    assert org.command("touch", object="Contact", n=4, seed=4) != org.command("touch", object="Contact", n=4, seed=3)


def test_a_late_change_appears_later_with_its_earlier_stamp(start_org: Callable[..., RunningOrg]) -> None:
    """Until then readers see the old values, and the record is locked."""
    org = start_org(contacts=30)
    (changed,) = org.command("touch", object="Contact", n=1, visible_after_seconds=300)["ids"]
    soql = f"SELECT Title, SystemModstamp FROM Contact WHERE Id = '{changed}'"
    (before,) = org.query(soql)["records"]
    locked = org.http.patch(f"{V}/sobjects/Contact/{changed}", json={"Title": "x"})
    assert (locked.status_code, locked.json()[0]["errorCode"]) == (400, "UNABLE_TO_LOCK_ROW")
    org.command("clock", offset=301)
    (after,) = org.query(soql)["records"]
    assert not str(before["Title"]).startswith("Touched")
    assert after["Title"].startswith("Touched")
    now = org.org.clock.now().strftime("%Y-%m-%dT%H:%M:%S")
    assert before["SystemModstamp"] < after["SystemModstamp"] < now
    assert org.query("SELECT COUNT() FROM Contact", deleted=True)["totalSize"] == 30
    assert org.http.patch(f"{V}/sobjects/Contact/{changed}", json={"Title": "x"}).status_code == 204


def test_a_late_record_is_not_there_yet(start_org: Callable[..., RunningOrg]) -> None:
    """Neither to queries nor by Id nor in counts."""
    org = start_org(contacts=3)
    (made,) = org.command("create", object="Contact", n=1, visible_after_seconds=60)["ids"]
    assert org.http.get(f"{V}/sobjects/Contact/{made}").status_code == 404
    assert org.http.get("/sandbox/counts").json()["Contact"] == {"present": 3, "deleted": 0}
    org.command("clock", offset=61)
    assert org.http.get(f"{V}/sobjects/Contact/{made}").status_code == 200


def test_delete_and_undelete_move_the_stamp(start_org: Callable[..., RunningOrg]) -> None:
    """A deleted record is in queryAll with a new stamp; restored, it is in query again."""
    org = start_org(contacts=30)
    ids = org.command("delete", object="Lead", n=3)["ids"]
    assert org.http.get("/sandbox/counts").json()["Lead"] == {"present": 12, "deleted": 3}
    gone = org.query("SELECT Id FROM Lead WHERE IsDeleted = true AND SystemModstamp = TODAY", deleted=True)["records"]
    assert {each["Id"] for each in gone} == set(ids)
    org.command("undelete", object="Lead", ids=ids)
    assert org.query("SELECT COUNT() FROM Lead")["totalSize"] == 15


def test_merge_points_the_loser_to_its_master(start_org: Callable[..., RunningOrg]) -> None:
    """Its children move over, with a new stamp that is no user's change."""
    org = start_org(contacts=3)
    master, loser = org.command("create", object="Contact", n=2)["ids"]
    (task,) = org.command("create", object="Task", records=[{"Subject": "child", "WhoId": loser}])["ids"]
    org.command("clock", offset=30)
    org.command("merge", object="Contact", master=master, loser=loser)
    soql = f"SELECT IsDeleted, MasterRecordId FROM Contact WHERE Id = '{loser}'"
    (gone,) = org.query(soql, deleted=True)["records"]
    assert (gone["IsDeleted"], gone["MasterRecordId"]) == (True, master)
    moved = org.http.get(f"{V}/sobjects/Task/{task}").json()
    assert moved["WhoId"] == master
    assert moved["SystemModstamp"] > moved["LastModifiedDate"]


def test_the_log_tells_every_call_and_its_cost(start_org: Callable[..., RunningOrg]) -> None:
    """Time, method, path without its query, status; the parts of a composite."""
    org = start_org(contacts=3)
    org.command("calls/reset")
    org.query("SELECT Id FROM Contact")
    part = {"method": "GET", "url": f"{V}/queryAll?q=SELECT Id FROM Lead", "referenceId": "a"}
    org.http.post(f"{V}/composite", json={"compositeRequest": [part]})
    org.http.get("/services/data")
    first, second, third = org.http.get("/sandbox/calls").json()["calls"]
    assert (first["method"], first["path"], first["status"], first["cost"]) == ("GET", f"{V}/query", 200, 1)
    assert (second["cost"], second["parts"]) == (1, [f"GET {V}/queryAll"])
    assert (third["path"], third["cost"]) == ("/services/data", 0)
    assert org.http.get("/sandbox/calls", params={"since": second["sequence"]}).json()["calls"] == [third]


def test_an_ordered_fault_meets_the_next_calls_that_match(org: RunningOrg) -> None:
    """Then it is used up; other paths are spared; some calls may be let through first."""
    body = [{"message": "Server unavailable", "errorCode": "SERVER_UNAVAILABLE"}]
    org.command("faults", match=f"{V}/query", status=503, body=body, times=2, after=1, headers={"Retry-After": "7"})
    statuses = [org.http.get(f"{V}/query", params={"q": "SELECT Id FROM User"}).status_code for _ in range(4)]
    assert statuses == [200, 503, 503, 200]
    org.command("faults", match=V, status=500, body="<html>oops</html>")
    answer = org.http.get(f"{V}/limits")
    assert (answer.status_code, answer.text) == (500, "<html>oops</html>")
    assert org.http.get(f"{V}/limits").status_code == 200


def test_a_fault_can_be_only_slow(org: RunningOrg) -> None:
    """Status 0 delays the right answer."""
    org.command("faults", match=f"{V}/limits", status=0, delay=0.3)
    began = time.monotonic()
    assert org.http.get(f"{V}/limits").status_code == 200
    assert time.monotonic() - began >= 0.3


def test_faults_can_be_taken_back(org: RunningOrg) -> None:
    """After `clear` nothing is ordered any more."""
    org.command("faults", match=V, status=500, times=100, bulk_job="Failed")
    org.command("faults", clear=True)
    assert org.http.get(f"{V}/limits").status_code == 200


@pytest.mark.parametrize(
    ("path", "body"), [("touch", {"object": "Nope"}), ("nothing", {}), ("merge", {"object": "Task"})]
)
def test_a_wrong_command_is_refused(org: RunningOrg, path: str, body: dict[str, str]) -> None:
    """With the reason, and never a stack trace."""
    answer = org.http.post(f"/sandbox/{path}", json=body)
    assert answer.status_code in (400, 404)
    assert answer.json()[0]["message"]

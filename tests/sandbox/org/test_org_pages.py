"""The pages for people: what the org shows, what its forms do, and where a link to a record leads."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from include.sandbox.org.http.app import build_app
from tests.sandbox.org.conftest import RunningOrg, V


def page(org: RunningOrg, path: str = "/sandbox/") -> str:
    answer = httpx.get(org.url + path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/html;charset=UTF-8"
    return answer.text


def send(org: RunningOrg, form: str, **fields: Any) -> str:
    """Send a form as a browser does, and return the page that it leads to."""
    headers = {"Origin": org.url, "Sec-Fetch-Site": "same-origin"}
    answer = httpx.post(f"{org.url}/sandbox/page/{form}", data=fields, headers=headers)
    assert answer.status_code == 303, answer.text
    return page(org, answer.headers["Location"].removesuffix("#said"))


def test_page_shows_every_part_of_the_org(org: RunningOrg) -> None:
    """Objects with counts, jobs, calls, faults, defects and the clock stand on one page without a session."""
    org.query("SELECT Id FROM Account LIMIT 1")
    job = org.bulk("SELECT Id FROM Contact")
    text = page(org)
    counts = org.http.get("/sandbox/counts").json()
    assert re.search(rf"<td>Contact</td><td class=\"number\">{counts['Contact']['present']:,}</td>", text)
    assert job in text
    assert "JobComplete" in text
    assert f"GET {V}/query" in text
    assert "No fault is ordered" in text
    assert "contact_duplicate_email" in text
    assert "UTC" in text


def test_page_loads_nothing_from_elsewhere(org: RunningOrg) -> None:
    """The policy allows the page's own style and script by their hashes and nothing else."""
    answer = httpx.get(f"{org.url}/sandbox/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", answer.text)


def test_calls_can_be_searched(org: RunningOrg) -> None:
    """The search finds calls by words of method, path and status; nothing found has a way back."""
    org.http.get(f"{V}/sobjects/Nonsense/describe")
    found = page(org, "/sandbox/?q=nonsense+404")
    assert "/sobjects/Nonsense/describe" in found
    assert f"GET {V}/query<" not in found
    assert "No call like that" in page(org, "/sandbox/?q=zebra")
    assert "/sobjects/Nonsense/describe" in page(org, "/sandbox/?errors=1")


def test_empty_org_tells_what_to_do(start_org: Callable[..., RunningOrg]) -> None:
    """Empty parts say what would fill them."""
    fresh = start_org(contacts=20)
    fresh.command("calls/reset")
    text = page(fresh)
    assert "No Bulk job yet" in text
    assert "Nobody has called yet" in text


def test_forms_change_records(org: RunningOrg) -> None:
    """Touch, create and delete do what the commands of the same names do, and the page says what was done."""
    before = org.http.get("/sandbox/counts").json()["Contact"]
    assert "Create: 3 of Contact" in send(org, "records", verb="create", object="Contact", n=3)
    assert "Touch: 2 of Contact" in send(org, "records", verb="touch", object="Contact", n=2)
    assert "Delete: 1 of Contact" in send(org, "records", verb="delete", object="Contact", n=1)
    after = org.http.get("/sandbox/counts").json()["Contact"]
    assert (after["present"], after["deleted"]) == (before["present"] + 2, before["deleted"] + 1)


def test_forms_order_faults_and_take_them_back(org: RunningOrg) -> None:
    """An ordered fault befalls a call; clearing takes the others back."""
    assert "server unavailable" in send(org, "faults", kind="server_unavailable", times=2, match=f"{V}/limits")
    assert org.http.get(f"{V}/limits").status_code == 503
    assert "No fault is ordered" in send(org, "faults", kind="reset", times=1, match="", clear="1")
    assert org.http.get(f"{V}/limits").status_code == 200


def test_forms_set_allocation_and_clock(org: RunningOrg) -> None:
    """Allocation and clock follow their forms."""
    assert "100 of 5,000 calls used" in send(org, "allocation", max=5000, used=100)
    assert org.http.get("/sandbox/allocation").json()["max"] == 5000
    text = send(org, "clock", amount=2, unit="days")
    assert "2 days ahead of this machine" in text
    assert "as this machine" in send(org, "clock", amount=0, unit="days", reset="1")


def test_forms_add_a_field(org: RunningOrg) -> None:
    """A field ordered by the page is in describe; a wrong order is told on the page."""
    order = {"object": "Contact", "label": "Hat", "type": "string", "parent": ""}
    assert "Added Hat__c to Contact" in send(org, "field", name="Hat__c", **order)
    assert org.query("SELECT Hat__c FROM Contact LIMIT 1")["records"][0]["Hat__c"] is None
    assert "there is already a field Hat__c on Contact" in send(org, "field", name="Hat__c", **order)
    org.http.post("/sandbox/metadata", json={"change": "restore"})


def test_forms_start_and_stop_life(org: RunningOrg) -> None:
    """Life runs from one form to the next."""
    assert "Running" in send(org, "life", pace=600, seed=3)
    assert "Still" in send(org, "life", pace=600, seed="", stop="1")


def test_wrong_forms_are_told_on_the_page(org: RunningOrg) -> None:
    """What can't be done is said where it was asked for."""
    assert "This can" in send(org, "records", verb="burn", object="Contact", n=3)
    assert "This can" in send(org, "records", verb="touch", object="Contact", n=0x7FFFFFFF)
    assert "no form is called" in send(org, "nothing")


@pytest.mark.parametrize("headers", [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_pages_of_other_sites_cannot_send_forms(org: RunningOrg, headers: dict[str, str]) -> None:
    """A form or a command sent by another site's page changes nothing."""
    refusal = [{"message": "A page of another site can't use the control plane", "errorCode": "FORBIDDEN"}]
    for path in ("/sandbox/page/sessions", "/sandbox/expire-sessions"):
        answer = httpx.post(org.url + path, headers=headers)
        assert (answer.status_code, answer.json()) == (403, refusal)
    assert org.http.get(f"{V}/limits").status_code == 200


def test_record_page_shows_fields_parents_and_children(org: RunningOrg) -> None:
    """A link to a record, long or short, leads to its values, to its account and to what hangs below."""
    soql = "SELECT Id, Name, AccountId, Account.Name FROM Contact WHERE AccountId != null LIMIT 1"
    contact = org.query(soql)["records"][0]
    text = page(org, f"/lightning/r/Contact/{contact['Id']}/view")
    assert text == page(org, f"/{contact['Id']}") == page(org, f"/{contact['Id'][:15]}")
    assert "<code>AccountId</code>" in text
    assert f'href="/lightning/r/Account/{contact["AccountId"]}/view"' in text
    account = page(org, f"/lightning/r/Account/{contact['AccountId']}/view")
    assert f'href="/lightning/r/Contact/{contact["Id"]}/view"' in account
    assert "<h2>Contacts</h2>" in account


def test_record_page_escapes_what_records_hold(org: RunningOrg) -> None:
    """Markup in a value is shown, not followed."""
    made = org.http.post(f"{V}/sobjects/Account", json={"Name": "<script>alert(1)</script>"}).json()
    text = page(org, f"/{made['id']}")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text


def test_deleted_record_is_shown_as_deleted(org: RunningOrg) -> None:
    """A record in the recycle bin says so, and a merged one leads to its master."""
    ids = [each["Id"] for each in org.query("SELECT Id FROM Lead WHERE IsConverted = false LIMIT 2")["records"]]
    org.command("merge", object="Lead", master=ids[0], loser=ids[1])
    text = page(org, f"/{ids[1]}")
    assert "in the recycle bin" in text
    assert f'href="/{ids[0]}"' in text


@pytest.mark.parametrize(
    "path", ["/lightning/r/Contact/0035g00002zzzzzAAA/view", "/lightning/r/Nothing/x/view", "/0035g00002zzzzz"]
)
def test_unknown_record_has_a_page_too(org: RunningOrg, path: str) -> None:
    """A link that leads nowhere says so."""
    answer = httpx.get(org.url + path)
    assert answer.status_code == 404
    assert "No such record" in answer.text


def test_other_short_paths_stay_what_they_were(org: RunningOrg) -> None:
    """A path that is no Id gets the API's own 404."""
    answer = httpx.get(f"{org.url}/favicon.ico")
    assert answer.status_code == 404
    assert answer.json() == [{"message": "The requested resource does not exist", "errorCode": "NOT_FOUND"}]


def test_pages_answer_this_machine_alone(org: RunningOrg) -> None:
    """Another machine gets a page that says how to open the org to it."""
    record = org.query("SELECT Id FROM Contact LIMIT 1")["records"][0]["Id"]
    transport = httpx.ASGITransport(app=build_app(org.org), client=("203.0.113.7", 1))

    async def from_away(method: str, path: str) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.example") as away:
            return await away.request(method, path)

    for path in ("/sandbox/", f"/lightning/r/Contact/{record}/view", f"/{record}"):
        answer = asyncio.run(from_away("GET", path))
        assert answer.status_code == 403
        assert "--control-from-anywhere" in answer.text
    assert asyncio.run(from_away("POST", "/sandbox/page/sessions")).status_code == 403

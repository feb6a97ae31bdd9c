"""Metadata that changes while others read: fields, types, labels, picklists, objects."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.org.conftest import RunningOrg, V

NO_COLUMN = (
    "No such column '{field}' on entity '{object}'. If you are attempting to use a custom field, be sure to append the "
    "'__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
)


@pytest.fixture
def shop(org: RunningOrg) -> Iterator[RunningOrg]:
    """Yield the shared org and put its metadata back afterwards."""
    yield org
    change(org, do="restore")


def change(org: RunningOrg, do: str = "", **body: Any) -> dict[str, Any]:
    answer = org.http.post("/sandbox/metadata", json={"change": do, **body})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def fields(org: RunningOrg, name: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in org.http.get(f"{V}/sobjects/{name}/describe").json()["fields"]}


def column(org: RunningOrg, soql: str, name: str) -> list[Any]:
    return [each[name] for each in org.query(soql)["records"]]


def test_added_field_is_described_read_and_written(shop: RunningOrg) -> None:
    """A new field is in describe, empty in old records, and takes values by REST and Bulk."""
    before = shop.query("SELECT Id, SystemModstamp FROM Contact ORDER BY Id LIMIT 5")["records"]
    changed = change(shop, do="add_field", object="Contact", name="Shoe_Size__c", type="number", scale=1)
    assert changed["objects"] == ["Contact"]
    described = fields(shop, "Contact")["Shoe_Size__c"]
    assert len(described) == 57
    assert (described["type"], described["label"], described["scale"]) == ("double", "Shoe Size", 1)
    assert (described["custom"], described["nillable"], described["updateable"]) == (True, True, True)
    own = before[0]["Id"]
    assert shop.http.patch(f"{V}/sobjects/Contact/{own}", json={"Shoe_Size__c": 42.5}).status_code == 204
    assert column(shop, f"SELECT Shoe_Size__c FROM Contact WHERE Id = '{own}'", "Shoe_Size__c") == [42.5]
    job = shop.bulk("SELECT Id FROM Contact WHERE Shoe_Size__c > 40")
    assert own in shop.http.get(f"{V}/jobs/query/{job}/results").text
    rest = [{"Id": each["Id"], "SystemModstamp": each["SystemModstamp"]} for each in before[1:]]
    after = shop.query("SELECT Id, SystemModstamp FROM Contact ORDER BY Id LIMIT 5")["records"]
    assert [{name: each[name] for name in ("Id", "SystemModstamp")} for each in after[1:]] == rest


def test_old_records_get_the_default(shop: RunningOrg) -> None:
    """A checkbox is never null, and a default fills old records without moving their stamps."""
    stamp = column(shop, "SELECT max(SystemModstamp) m FROM Lead", "m")
    change(shop, changes=[
        {"change": "add_field", "object": "Lead", "name": "Vip__c", "type": "checkbox", "default": True},
        {"change": "add_field", "object": "Lead", "name": "Mood__c", "type": "picklist", "values": ["Good", "Bad"],
         "default": "Good"},
    ])  # fmt: skip
    total = shop.query("SELECT count() FROM Lead")["totalSize"]
    assert shop.query("SELECT count() FROM Lead WHERE Vip__c = true AND Mood__c = 'Good'")["totalSize"] == total
    assert column(shop, "SELECT max(SystemModstamp) m FROM Lead", "m") == stamp


def test_removed_field_is_unknown_everywhere(shop: RunningOrg) -> None:
    """A removed field is gone from describe; a query, a write and a Bulk job are refused as Salesforce refuses them."""
    change(shop, do="remove_field", object="Contact", field="Score__c")
    assert "Score__c" not in fields(shop, "Contact")
    soql = "SELECT Id, Score__c FROM Contact"
    wrong = NO_COLUMN.format(field="Score__c", object="Contact")
    message = f"\n{soql}\n           ^\nERROR at Row:1:Column:12\n{wrong}"
    assert shop.refusal(soql) == {"message": message, "errorCode": "INVALID_FIELD"}
    answer = shop.http.post(f"{V}/jobs/query", json={"operation": "query", "query": soql})
    assert answer.status_code == 400
    own = column(shop, "SELECT Id FROM Contact LIMIT 1", "Id")[0]
    written = shop.http.patch(f"{V}/sobjects/Contact/{own}", json={"Score__c": 1})
    assert (written.status_code, written.json()[0]["errorCode"]) == (400, "INVALID_FIELD")
    assert "Score__c" not in shop.http.get(f"{V}/sobjects/Contact/{own}").json()


def test_removed_field_comes_back_with_its_values(shop: RunningOrg) -> None:
    """Restoring a removed field restores its values, as undeleting a custom field does."""
    soql = "SELECT Id, Tier__c FROM Contact WHERE Tier__c != null ORDER BY Id LIMIT 20"
    before = [(each["Id"], each["Tier__c"]) for each in shop.query(soql)["records"]]
    change(shop, do="remove_field", object="Contact", field="Tier__c")
    change(shop, do="restore", object="Contact", field="Tier__c")
    assert [(each["Id"], each["Tier__c"]) for each in shop.query(soql)["records"]] == before


@pytest.mark.parametrize(
    ("text", "order", "kept"),
    [
        (" 12.345 ", {"type": "double", "scale": 2}, 12.35),
        ("twelve", {"type": "double"}, None),
        ("NaN", {"type": "currency"}, None),
        ("2026-02-03", {"type": "date"}, "2026-02-03"),
        ("2026-02-30", {"type": "date"}, None),
        ("true", {"type": "boolean"}, True),
        ("maybe", {"type": "boolean"}, False),
        ("abcdefgh", {"type": "string", "length": 5}, "abcde"),
        ("One", {"type": "picklist", "values": ["One"]}, "One"),
        ("One", {"type": "multipicklist", "values": ["One"]}, None),
    ],
)
def test_retyped_text_keeps_what_fits(shop: RunningOrg, text: str, order: dict[str, Any], kept: Any) -> None:
    """Values that can't be converted to the new type are lost."""
    change(shop, do="add_field", object="Account", name="Loose__c", type="text")
    own = column(shop, "SELECT Id FROM Account LIMIT 1", "Id")[0]
    shop.command("touch", object="Account", ids=[own], fields={"Loose__c": text})
    if text.strip() != text:  # a client's text is trimmed on its way in
        shop.org.database.rows(f'UPDATE "Account" SET "Loose__c" = \'{text}\' WHERE "Id" = \'{own}\'')
    change(shop, do="retype", object="Account", field="Loose__c", **order)
    assert fields(shop, "Account")["Loose__c"]["type"] == order["type"]
    assert column(shop, f"SELECT Loose__c FROM Account WHERE Id = '{own}'", "Loose__c") == [kept]


def test_retype_and_back_keeps_numbers(shop: RunningOrg) -> None:
    """A number that becomes text can be filtered as text; a full restore makes it a number again."""
    soql = "SELECT Id, Score__c FROM Contact WHERE Score__c != null ORDER BY Id LIMIT 20"
    before = column(shop, soql, "Score__c")
    change(shop, do="retype", object="Contact", field="Score__c", type="text", length=20)
    assert column(shop, soql, "Score__c") == [f"{each:g}" for each in before]
    change(shop, do="restore")
    assert column(shop, soql, "Score__c") == before
    for order in ({"change": "retype", "type": "text", "length": 20}, {"change": "remove_field"}):
        change(shop, changes=[{"object": "Contact", "field": "Score__c", **order}])
    change(shop, do="restore")
    assert column(shop, soql, "Score__c") == before


def test_locators_follow_the_fields_of_now(shop: RunningOrg) -> None:
    """Further pages of an older result show a field's new type, and are refused when a field is gone."""
    soql = "SELECT Id, Score__c FROM Contact"
    page = shop.query(soql, **{"Sforce-Query-Options": "batchSize=200"})
    change(shop, do="retype", object="Contact", field="Score__c", type="text")
    further = shop.http.get(page["nextRecordsUrl"]).json()["records"]
    assert {type(each["Score__c"]) for each in further} <= {str, type(None)}
    change(shop, do="remove_field", object="Contact", field="Score__c")
    refused = shop.http.get(page["nextRecordsUrl"])
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "INVALID_FIELD")
    assert NO_COLUMN.format(field="Score__c", object="Contact") in refused.json()[0]["message"]


def test_waiting_bulk_job_fails_when_its_field_goes(shop: RunningOrg) -> None:
    """A job that was created before a field went and starts after it ends as Failed, and says why."""
    shop.command("faults", bulk_job="Stuck", seconds=1)
    query = {"operation": "query", "query": "SELECT Id, Score__c FROM Contact"}
    job = shop.http.post(f"{V}/jobs/query", json=query).json()["id"]
    change(shop, do="remove_field", object="Contact", field="Score__c")
    for _ in range(300):
        body = shop.http.get(f"{V}/jobs/query/{job}").json()
        if body["state"] not in ("UploadComplete", "InProgress"):
            break
        time.sleep(0.02)
    assert body["state"] == "Failed"
    assert "No such column 'Score__c' on entity 'Contact'" in body["errorMessage"]


def test_labels_change_without_the_names(shop: RunningOrg) -> None:
    """Labels of fields and objects are for people alone."""
    change(shop, do="rename_label", object="Contact", field="Title", label="Role")
    change(shop, do="rename_label", object="Account", label="Firm", plural="Firms")
    assert fields(shop, "Contact")["Title"]["label"] == "Role"
    account = shop.http.get(f"{V}/sobjects/Account/describe").json()
    assert (account["label"], account["labelPlural"], account["name"]) == ("Firm", "Firms", "Account")


def test_picklist_values_come_go_and_are_renamed(shop: RunningOrg) -> None:
    """A deactivated value can't be chosen but stays in records; a renamed one changes in them without a new stamp."""
    gold = [each["Id"] for each in shop.query("SELECT Id FROM Contact WHERE Tier__c = 'Gold'")["records"]]
    stamp = column(shop, "SELECT max(SystemModstamp) m FROM Contact", "m")
    change(shop, do="change_picklist", object="Contact", field="Tier__c", add=["Platinum"], deactivate=["Bronze"],
        rename={"Gold": "Golden"}, labels={"Silver": "Silvery"},
    )  # fmt: skip
    values = fields(shop, "Contact")["Tier__c"]["picklistValues"]
    assert [(each["value"], each["label"], each["active"]) for each in values] == [
        ("Golden", "Golden", True),
        ("Silver", "Silvery", True),
        ("Platinum", "Platinum", True),
        ("Bronze", "Bronze", False),
    ]
    golden = [each["Id"] for each in shop.query("SELECT Id FROM Contact WHERE Tier__c = 'Golden'")["records"]]
    assert golden == gold
    assert column(shop, "SELECT max(SystemModstamp) m FROM Contact", "m") == stamp
    assert shop.http.patch(f"{V}/sobjects/Contact/{gold[0]}", json={"Tier__c": "Platinum"}).status_code == 204
    refused = shop.http.patch(f"{V}/sobjects/Contact/{gold[0]}", json={"Tier__c": "Bronze"}).json()
    assert refused == [
        {
            "message": "Tier: bad value for restricted picklist field: Bronze",
            "errorCode": "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "fields": ["Tier__c"],
        }
    ]


def test_custom_object_appears_with_records_and_relationships(shop: RunningOrg) -> None:
    """A new object is listed, described, queried with its parent, written to and read from its parent."""
    order = {
        "change": "add_object", "name": "Site_Visit__c", "label": "Site Visit", "records": 30,
        "fields": [
            {"name": "Visited__c", "type": "date"},
            {"name": "Firm__c", "type": "lookup", "parent": "Account", "relationship": "Firm__r"},
        ],
    }  # fmt: skip
    assert change(shop, **order)["objects"] == ["Account", "Site_Visit__c"]
    listed = {each["name"]: each for each in shop.http.get(f"{V}/sobjects").json()["sobjects"]}["Site_Visit__c"]
    assert (listed["custom"], listed["keyPrefix"], listed["labelPlural"]) == (True, "a90", "Site Visits")
    assert shop.query("SELECT count() FROM Site_Visit__c")["totalSize"] == 30
    account = column(shop, "SELECT Id FROM Account LIMIT 1", "Id")[0]
    made = shop.http.post(f"{V}/sobjects/Site_Visit__c", json={"Name": "First", "Firm__c": account}).json()
    assert made["id"].startswith("a90")
    up = shop.query("SELECT Firm__r.Id FROM Site_Visit__c WHERE Firm__c != null")["records"]
    assert [each["Firm__r"]["Id"] for each in up] == [account]
    below = shop.query(f"SELECT (SELECT Name FROM Site_Visits__r) FROM Account WHERE Id = '{account}'")["records"]
    assert [each["Name"] for each in below[0]["Site_Visits__r"]["records"]] == ["First"]
    change(shop, do="restore")
    assert shop.refusal("SELECT Id FROM Site_Visit__c")["errorCode"] == "INVALID_TYPE"
    assert shop.http.get(f"{V}/sobjects/Site_Visit__c/describe").status_code == 404


def test_control_plane_knows_objects_and_fields_of_now(shop: RunningOrg) -> None:
    """Records of a new object can be made, touched and deleted; a touch leaves out fields that are gone."""
    change(shop, do="add_object", **{"name": "Parcel__c"})
    made = shop.command("create", object="Parcel__c", n=2)["ids"]
    assert shop.command("touch", object="Parcel__c", ids=made)["ids"] == made
    shop.command("delete", object="Parcel__c", ids=made[:1])
    assert shop.query("SELECT count() FROM Parcel__c")["totalSize"] == 1
    change(shop, do="remove_field", object="Contact", field="Score__c")
    change(shop, do="retype", object="Lead", field="Score__c", type="text")
    assert len(shop.command("touch", object="Contact", n=2)["ids"]) == 2
    assert len(shop.command("touch", object="Lead", n=2)["ids"]) == 2


def test_wide_object_is_read_whole(shop: RunningOrg) -> None:
    """An object of 800 fields gives the same values by REST and by Bulk."""
    change(shop, do="make_wide", object="Opportunity", fields=800)
    described = fields(shop, "Opportunity")
    assert len(described) == 800
    names = [name for name, each in described.items() if each["type"] != "address"]
    soql = f"SELECT {', '.join(names)} FROM Opportunity ORDER BY Id"
    job = shop.bulk(soql)
    lines = shop.http.get(f"{V}/jobs/query/{job}/results").text
    assert lines.splitlines()[0].split(",") == [f'"{name}"' for name in names]
    own = column(shop, "SELECT Id FROM Opportunity ORDER BY Id LIMIT 1", "Id")[0]
    record = shop.http.get(f"{V}/sobjects/Opportunity/{own}").json()
    assert len(record) == 801
    assert sum(1 for name in record if name.startswith("W") and record[name] is not None) > 500


def test_describe_answers_304_until_its_object_changes(shop: RunningOrg) -> None:
    """Last-Modified moves for the object that changed and for the list of objects, and for no other object."""
    paths = [f"{V}/sobjects/Contact/describe", f"{V}/sobjects", f"{V}/sobjects/Lead/describe"]
    known = {path: shop.http.get(path).headers["Last-Modified"] for path in paths}

    def states() -> list[int]:
        return [shop.http.get(path, headers={"If-Modified-Since": known[path]}).status_code for path in paths]

    assert states() == [304, 304, 304]
    for label in ("Once", "Twice"):  # two changes within a second are two moments
        change(shop, do="rename_label", object="Contact", field="Title", label=label)
        assert states() == [200, 200, 304]
        known = {path: shop.http.get(path).headers["Last-Modified"] for path in paths}
        assert states() == [304, 304, 304]


@pytest.mark.parametrize(
    ("order", "word"),
    [
        ({"change": "paint"}, "change must be one of"),
        ({"change": "add_field", "object": "Nothing", "name": "A__c", "type": "text"}, "no object is called 'Nothing'"),
        ({"change": "add_field", "object": "Lead", "name": "A", "type": "text"}, "ending in __c"),
        ({"change": "add_field", "object": "Lead", "name": "A__c", "type": "colour"}, "type must be one of"),
        ({"change": "add_field", "object": "Lead", "name": "Score__c", "type": "text"}, "already a field Score__c"),
        ({"change": "remove_field", "object": "Lead", "field": "SystemModstamp"}, "can't be removed"),
        ({"change": "remove_field", "object": "Contact", "field": "LastName"}, "used by the formula"),
        ({"change": "retype", "object": "Lead", "field": "Company", "type": "number"}, "can't be changed"),
        ({"change": "restore", "object": "Lead", "field": "Score__c"}, "was not removed"),
    ],
)
def test_orders_that_make_no_sense_change_nothing(shop: RunningOrg, order: dict[str, Any], word: str) -> None:
    """An order that can't be carried out is refused whole, with those before it."""
    first = {"change": "rename_label", "object": "Lead", "label": "Prospect"}
    answer = shop.http.post("/sandbox/metadata", json={"changes": [first, order]})
    assert answer.status_code == 400
    assert answer.json()[0]["errorCode"] == "INVALID_INPUT"
    assert word in answer.json()[0]["message"]
    assert shop.http.get("/sandbox/metadata").json()["changes"] == []
    assert shop.http.get(f"{V}/sobjects/Lead").json()["objectDescribe"]["label"] == "Lead"


def test_changes_outlive_a_restart(start_org: Callable[..., RunningOrg], tmp_path: Path) -> None:
    """What was changed is there again when the org is opened again, and Last-Modified with it."""
    from include.sandbox.org.org import open_org
    from include.sandbox.org.schema.catalogue import Catalogue
    from include.sandbox.org.store.database import Database

    running = start_org(contacts=40, home=tmp_path)
    change(running, changes=[
        {"change": "add_field", "object": "Contact", "name": "Kept__c", "type": "text", "default": "kept"},
        {"change": "remove_field", "object": "Contact", "field": "Score__c"},
        {"change": "add_object", "name": "Extra__c", "records": 3},
    ])  # fmt: skip
    changed = dict(running.org.catalogue.snapshot.changed)
    running.org.close()
    database = Database(tmp_path / "org.duckdb", Catalogue(), memory="300MB", threads=1)
    again = open_org(tmp_path, database, Catalogue())
    contact = again.catalogue.objects["Contact"]
    assert contact.field("Kept__c") is not None
    assert contact.field("Score__c") is None
    assert again.catalogue.snapshot.changed == changed
    assert database.rows('SELECT count(*) FROM "Extra__c"') == [(3,)]
    assert database.rows('SELECT DISTINCT "Kept__c" FROM "Contact"') == [("kept",)]
    again.close()


def test_readers_meet_either_the_old_or_the_new_field(shop: RunningOrg) -> None:
    """While a field changes its type again and again, every query ends in values or in a refusal."""
    statuses: set[int] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            for soql in ("SELECT Id FROM Contact WHERE Score__c > 1", "SELECT Score__c FROM Contact LIMIT 9"):
                statuses.add(shop.http.get(f"{V}/query", params={"q": soql}).status_code)

    reader = threading.Thread(target=read)
    reader.start()
    for kind in ("text", "number") * 4:
        change(shop, do="retype", object="Contact", field="Score__c", type=kind)
    stop.set()
    reader.join()
    assert statuses <= {200, 400}

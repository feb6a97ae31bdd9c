"""Generated records: the same for the same seed, full of traps, with defects whose truth is exact."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import phonenumbers
import pytest

from include.sandbox.org.generator.administration import administration
from include.sandbox.org.generator.defects import DEFECTS
from include.sandbox.org.generator.recipe import RATIOS
from include.sandbox.org.generator.run import generate
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.store.database import Database
from tests.sandbox.org.conftest import RunningOrg

MAIL = re.compile(r"[^@\s]+@[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)
TODAY = "2026-06-01"  # the day on which the generated history ends


@pytest.fixture(scope="module")
def org(start_org: Callable[..., RunningOrg]) -> RunningOrg:
    """Return an org that is large enough to have every defect."""
    return start_org(contacts=8000, seed=11)


@pytest.fixture(scope="module")
def records(org: RunningOrg) -> Callable[[str, str], list[dict[str, Any]]]:
    """Return a function that reads all records of an object."""

    def read(name: str, fields: str) -> list[dict[str, Any]]:
        page = org.query(f"SELECT {fields} FROM {name}")
        found = list(page["records"])
        while not page["done"]:
            page = org.http.get(page["nextRecordsUrl"]).json()
            found += page["records"]
        return found

    return read


def _truth(org: RunningOrg, name: str) -> set[str]:
    return set(org.http.get(f"/sandbox/truth/{name}").json()["ids"])


def _ids(found: Iterable[dict[str, Any]]) -> set[str]:
    return {each["Id"] for each in found}


def _dump(path: Path, seed: int) -> list[list[tuple[Any, ...]]]:
    database = Database(path / f"{seed}.duckdb", Catalogue(), threads=2)
    generate(database, Catalogue(), contacts=500, seed=seed, today=date(2026, 6, 1), say=lambda _text: None)
    dumped = [database.rows(f'SELECT * FROM "{name}" ORDER BY _n') for name in Catalogue().objects]
    database.close()
    return dumped


def test_the_same_seed_makes_the_same_records(tmp_path: Path) -> None:
    """Another one makes others."""
    (tmp_path / "again").mkdir()
    first = _dump(tmp_path, 5)
    assert first == _dump(tmp_path / "again", 5)
    assert first != _dump(tmp_path, 6)


def test_the_objects_have_their_ratios(org: RunningOrg) -> None:
    """So many of each object go with so many contacts, down to a few that there always are."""
    counts = {name: each["present"] for name, each in org.http.get("/sandbox/counts").json().items()}
    usual = {name: counts.pop(name) for name in RATIOS}
    assert usual == {
        "Account": 2000, "Contact": 8000, "Lead": 4000, "Opportunity": 2000, "OpportunityContactRole": 2000,
        "Task": 4000, "Event": 1000, "Campaign": 16, "CampaignMember": 2000, "Case": 1000, "Subscription__c": 800,
        "Everything__c": 80, "Everything_Detail__c": 160, "Attachment": 16,
    }  # fmt: skip
    assert counts["User"] == 25
    assert counts["Organization"] == 1
    assert all(0 < counts[name] < 25 for name in administration(datetime(2026, 6, 1)))  # noqa: DTZ001 - as stored


def test_every_defect_is_there_and_few_records_have_one(org: RunningOrg) -> None:
    """Between 5 and 20 % of the records of an object."""
    truth = org.http.get("/sandbox/truth").json()
    names = {each.name for each in DEFECTS}
    assert set(truth) == names | {"contact_duplicate", "not_duplicates"}
    assert all(each["count"] > 0 for each in truth.values())
    for name, total in {"Account": 2000, "Contact": 8000, "Lead": 4000, "Opportunity": 2000}.items():
        share = sum(truth[each.name]["count"] for each in DEFECTS if each.object == name) / total
        assert 0.05 < share < 0.20, name


@pytest.mark.parametrize(
    ("defect", "where"),
    [
        ("account_without_website", "Website = null"),
        ("account_inactive_owner", "Owner.IsActive = false"),
        ("account_test_record", "Name LIKE 'test account%'"),
        ("contact_missing_email", "Email = null"),
        ("contact_orphan", "AccountId = null"),
        ("contact_future_birthdate", f"Birthdate > {TODAY}"),
        ("contact_inactive_owner", "Owner.IsActive = false"),
        ("contact_test_record", "LastName IN ('test', 'asdf', 'test user')"),
        ("lead_missing_email", "Email = null"),
        ("lead_inactive_owner", "Owner.IsActive = false"),
        ("opportunity_stale", f"IsClosed = false AND CloseDate < {TODAY}"),
        ("opportunity_missing_amount", "Amount = null"),
        ("opportunity_orphan", "AccountId = null"),
        ("opportunity_inactive_owner", "Owner.IsActive = false"),
    ],
)
def test_a_defect_that_soql_can_see_is_exactly_its_truth(org: RunningOrg, defect: str, where: str) -> None:
    """No record more, none less."""
    name = next(each.object for each in DEFECTS if each.name == defect)
    found = org.query(f"SELECT Id FROM {name} WHERE {where} LIMIT 2000")["records"]
    assert _ids(found) == _truth(org, defect)


@pytest.mark.parametrize("name", ["Contact", "Lead"])
def test_invalid_mails_are_exactly_their_truth(org: RunningOrg, records: Callable[..., Any], name: str) -> None:
    """Every other address is well-formed and leads to no one."""
    found = [each for each in records(name, "Id, Email") if each["Email"]]
    assert _ids(each for each in found if not MAIL.fullmatch(each["Email"])) == _truth(
        org, f"{name.lower()}_invalid_email"
    )
    clean = [each["Email"].lower() for each in found if MAIL.fullmatch(each["Email"])]
    assert all(each.endswith((".example", "@example.com", "@example.org", "@example.net")) for each in clean)


@pytest.mark.parametrize("name", ["Contact", "Lead"])
def test_phones_are_valid_but_for_their_truth(org: RunningOrg, records: Callable[..., Any], name: str) -> None:
    """libphonenumber takes every clean number; one without country needs its country; an invalid one is none."""
    without = _truth(org, f"{name.lower()}_phone_without_country")
    invalid = _truth(org, f"{name.lower()}_invalid_phone")
    bad, regions = set(), set()
    for each in records(name, "Id, Phone"):
        if each["Phone"] is None:
            continue
        try:
            number = phonenumbers.parse(each["Phone"], None)
        except phonenumbers.NumberParseException:
            bad.add(each["Id"])
            continue
        if not phonenumbers.is_valid_number(number):
            bad.add(each["Id"])
        regions.add(phonenumbers.region_code_for_number(number))
    assert bad == without | invalid
    assert len(regions) >= 12


def test_leads_that_match_an_account_are_exactly_their_truth(org: RunningOrg, records: Callable[..., Any]) -> None:
    """Their company is an account; no other lead's is."""
    names = {each["Name"].strip().lower() for each in records("Account", "Id, Name")}
    leads = records("Lead", "Id, Company")
    matching = _ids(each for each in leads if each["Company"].lower() in names)
    truth = _truth(org, "lead_matches_account")
    assert matching <= truth
    # A few of those accounts carry a test name.
    assert len(truth - matching) <= len(truth) * 0.05


def test_the_traps_are_there(org: RunningOrg) -> None:
    """Texts that readers take for nothing, and texts that break careless formats."""
    for where in (
        "LastName = 'Null'",
        "LastName = 'NA'",
        "Title = 'None'",
        "Department = 'null'",
        "FirstName = '美咲'",
    ):
        assert org.query(f"SELECT COUNT() FROM Contact WHERE {where}")["totalSize"] > 0, where
    notes = [each["Description"] or "" for each in org.query("SELECT Description FROM Contact LIMIT 2000")["records"]]
    for mark in ("\n", "\r\n", '"', ",", "🚀", "\t", "\\"):
        assert any(mark in each for each in notes), repr(mark)


def test_stamps_cover_two_years_and_share_seconds(org: RunningOrg, records: Callable[..., Any]) -> None:
    """Bulk loads left hundreds of records with one stamp; CreatedDate is never later than SystemModstamp."""
    stamps = Counter(each["SystemModstamp"] for each in records("Contact", "SystemModstamp"))
    assert 4 <= sum(1 for count in stamps.values() if count > 20) <= 10
    (span,) = org.query("SELECT MIN(SystemModstamp) low, MAX(SystemModstamp) high FROM Contact")["records"]
    assert span["low"] < "2024-06-20"
    assert "2026-05-20" < span["high"] < TODAY
    for each in org.query("SELECT CreatedDate, LastModifiedDate, SystemModstamp FROM Contact LIMIT 2000")["records"]:
        assert each["CreatedDate"] <= each["LastModifiedDate"] <= each["SystemModstamp"]

"""Great Expectations and the stored findings say the same of every check that Headwater ships."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from include.config.loader import load_definitions
from include.quality.suite import counted as counted_in
from include.quality.validate import export_snapshot, validate_suites
from include.warehouse.engine import transaction
from include.warehouse.health.findings import failing_ids
from tests.quality.conftest import NOW

SHIPPED = load_definitions(Path(__file__).parents[2] / "include" / "definitions").checks

EMAILS = (
    None,
    "a@b.de",
    "A@B.DE ",
    "no-at-sign.example.com",
    "two@@example.com",
    "blank in@example.com",
    "@x.de",
    "a@b",
)
PHONES = (None, "+49 151 12345678", "0151/12345678", "(415) 712-3456", "12345", "n/a", "000-000", "+999 123456789")
NAMES = (None, "Müller", "MÜLLER", "NA", "佐藤", "Test", "O'Brien; DROP TABLE x --", "100 % {Real}: \\ yes")


COUNTRIES = ("Germany", "USA", "Neverland", "", None)
SITES = ("a.de", "https://www.a.de/x?y", "see card", None, "b.example")
DATES = ("2020-01-01", "2026-11-01", "2026-06-01")
EVERYTHING = ("Account", "Contact", "Lead", "Opportunity", "User", "Task", "Event", "OpportunityContactRole")


@pytest.fixture
def full_org(make_org):
    """Return an org with every kind of good and bad record."""
    org = make_org(*EVERYTHING)
    org.put("User", {"Id": "u1", "IsActive": True}, {"Id": "u2", "IsActive": False})
    names = ("Nordwind GmbH", "nordwind  gmbh.", "Test Ltd.", "Alone AG", "Blue {Harbor}", "SHOUTING GMBH")
    for number, name in enumerate(names):
        org.put("Account", {"Id": f"a{number}", "Name": name, "OwnerId": f"u{number % 3}"} | _company(number))
    for number in range(64):
        person = {
            "Email": EMAILS[number % 8],
            "Phone": PHONES[(number // 8) % 8],
            "LastName": NAMES[(number + number // 8) % 8],
            "OwnerId": f"u{number % 3}" if number % 7 else "00Gqueue",
            "LastModifiedDate": DATES[number % 3],
            "EmailBouncedDate": (None, None, "2026-01-01")[number % 3],
        }
        org.put("Contact", {"Id": f"c{number}", **person, **_contact(number)})
        org.put("Lead", {"Id": f"l{number}", **person, **_lead(number)})
        org.put("Opportunity", {"Id": f"o{number}", **_deal(number)})
    for number, mail in enumerate(("info@a.de", "Sales@B.de", "x@mailinator.com", "y@gmail.com")):
        org.put("Contact", {"Id": f"m{number}", "Email": mail, "LastName": f"Mail{number}", "AccountId": "a0"})
        org.put("Lead", {"Id": f"m{number}", "Email": mail, "LastName": f"Mail{number}", "IsConverted": False})
    twin = {"FirstName": "Bo", "LastName": "Li", "Phone": "+1 415 712 3456", "AccountId": "a0"}
    org.put("Contact", *({"Id": f"t{n}", "Email": f"bo{n}@a.de", **twin} for n in (1, 2)))
    forms = {"LastName": "Ray", "Phone": "+1 415 712 3457", "AccountId": "a0"}
    org.put(
        "Contact",
        *({"Id": f"t{name}", "FirstName": name, "Email": f"{name}@a.de", **forms} for name in ("Bob", "Robert")),
    )
    south = {"BillingCity": "Rome", "Website": "south.example"}
    org.put("Account", *({"Id": f"s{n}", "Name": name, **south} for n, name in enumerate(("Südwind AG", "Suedwind"))))
    org.put("Task", {"Id": "t1", "WhatId": "o1"})
    org.put("Event", {"Id": "e1", "WhatId": "o3"})
    org.put("OpportunityContactRole", {"Id": "r1", "OpportunityId": "o1"})
    org.delete("Contact", "c9")
    org.delete("Account", "a4")
    return org


def _company(number):
    return {
        "Website": SITES[number % 5],
        "Phone": PHONES[(number + 1) % 8],
        "Industry": (None, "Energy")[number % 2],
        "CurrencyIsoCode": ("USD", "EUR")[number % 2],
        "ParentId": (None, "a0", "gone")[number % 3],
        "BillingCity": (None, "Paris")[number % 2],
        "BillingCountry": COUNTRIES[(number + 1) % 5],
        "BillingState": ("CA", "Calif.")[number % 2],
        "LastModifiedDate": DATES[number % 3],
    }


def _contact(number):
    return {
        "FirstName": ("Ana", "ANA", None)[number % 3],
        "MobilePhone": PHONES[(number + 3) % 8],
        "AccountId": (None, "a0", "a1", "gone")[number % 4],
        "Birthdate": ("1990-01-01", "2030-01-01", None)[number % 3],
        "MailingCountry": COUNTRIES[number % 5],
        "IndividualId": (None, "i1")[number % 2],
        "ReportsToId": (None, f"c{number}", "c1", "gone")[number % 4],
    }


def _lead(number):
    return {
        "Company": ("Nordwind GmbH", "NORDWIND gmbh", "n/a", "Other")[number % 4],
        "FirstName": ("Ana", "ANA")[number % 2],
        "IsConverted": number % 5 == 0,
        "ConvertedContactId": (None, "c1")[number % 2],
        "Country": COUNTRIES[number % 5],
        "LeadSource": (None, "Web")[number % 2],
        "Website": SITES[number % 5],
        "CreatedDate": DATES[number % 3],
    }


def _deal(number):
    return {
        "AccountId": (None, "a0", "gone")[number % 3],
        "StageName": ("Prospecting", "Negotiation")[number % 2],
        "OwnerId": f"u{number % 3}",
        "Amount": (None, 0, 10.5, -1)[(number // 2) % 4],
        "CloseDate": ("2024-01-01", "2026-11-20", "2027-01-01", "2031-01-01")[number // 3 % 4],
        "CreatedDate": ("2026-01-01", "2023-01-01")[number % 2],
        "IsClosed": number % 2 == 0,
        "IsWon": number % 4 == 0,
        "Probability": (0, 50, 100, None)[number // 4 % 4],
        "NextStep": (None, "Call", " ")[number % 3],
        "LastStageChangeDate": (None, "2026-01-01", "2026-11-01")[number % 3],
        "CurrencyIsoCode": (None, "EUR")[number % 2],
    }


def test_every_shipped_check_counts_the_same_in_great_expectations_and_in_the_findings(full_org):
    """For each check GX's count, ours and the number of stored Ids are one number, and it is never all or none."""
    found = full_org.assess(*SHIPPED.values())
    by_object = {
        object: tuple(check for check in SHIPPED.values() if check.object == object)
        for object in {check.object for check in SHIPPED.values()}
    }
    with transaction(full_org.engine) as connection:
        snapshot = export_snapshot(connection)
        said = validate_suites(full_org.engine, snapshot, by_object, schema="salesforce_acme", now=NOW)
    counted = {
        result["expectation_config"]["meta"]["check"]: counted_in(result["result"])
        for each in said.values()
        for result in each.validation["results"]
    }
    stored = {
        issue.check_id: len(failing_ids(full_org.engine, "acme", issue.check_id, found.assessment_id, limit=1000))
        for issue in found.issues
    }
    ours = {issue.check_id: issue.failing for issue in found.issues}
    assert {issue.verdict for issue in found.issues} <= {"passed", "failed"}
    assert ours == counted == stored
    assert set(ours) == set(SHIPPED)
    assert [name for name, count in ours.items() if count == 0] == []
    assert [issue.check_id for issue in found.issues if issue.failing == issue.records] == []


@pytest.mark.parametrize(
    ("check", "ids"),
    [
        ("contact_duplicate_email", {n for n in range(64) if n % 8 in (1, 2) and n != 9}),
        ("contact_without_account", {n for n in range(64) if n % 4 in (0, 3) and n != 9}),
        ("contact_email_missing", {n for n in range(64) if n % 8 == 0}),
        ("contact_email_invalid", {n for n in range(64) if n % 8 not in (0, 1)}),
        ("contact_birthdate_in_future", {n for n in range(64) if n % 3 == 1}),
        ("contact_owner_inactive", {n for n in range(64) if n % 3 == 2 and n % 7}),
    ],
)
def test_the_ids_of_a_check_are_the_ones_that_a_person_would_name(full_org, check, ids):
    """The predicate means what its title says, on records whose defects are known."""
    found = full_org.assess(SHIPPED[check])
    stored = failing_ids(full_org.engine, "acme", check, found.assessment_id, limit=1000)
    assert set(stored) == {f"c{number}" for number in ids}


def test_the_default_org_is_assessed_but_for_the_owners(make_org):
    """Users are not read by default: the checks that need them say so, all others are assessed."""
    found = make_org().assess(*SHIPPED.values())
    absent = {issue.check_id: issue.reason for issue in found.issues if issue.verdict == "not_assessed"}
    owners = {name: reason for name, reason in absent.items() if name.endswith("_owner_inactive")}
    assert len(owners) == 4
    assert set(owners.values()) == {"User is not read from this org: add User to objects in orgs/acme.yaml"}
    assert set(absent) - set(owners) == {"opportunity_without_activity", "opportunity_without_contact"}


def test_the_shipped_checks_cover_what_a_crm_needs():
    """Each object of the default org has a critical check for the gate, and each kind of defect has a check."""
    critical = {check.object for check in SHIPPED.values() if check.severity == "critical"}
    assert critical == {"Account", "Contact", "Lead", "Opportunity"}
    assert {check.category for check in SHIPPED.values()} == {
        "Low quality data",
        "Duplicates",
        "Incomplete",
        "Invalid",
        "Inconsistent",
        "Stale",
        "Orphaned",
        "Ownership",
        "Compliance",
    }
    assert len(SHIPPED) >= 45


def test_great_expectations_stays_silent(make_org, make_check, caplog, capfd):
    """No log line of GX, no progress bar and no warning ends up in the task's log."""
    org = make_org()
    org.put("Contact", {"Id": "1"})
    with caplog.at_level(logging.DEBUG, logger="great_expectations"):
        org.assess(make_check(), make_check("shared", bad_when="{row.Id} IN (SELECT {o.Id} FROM {Contact} AS o)"))
    assert [record.name for record in caplog.records if record.name.startswith("great_expectations")] == []
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_great_expectations_is_imported_by_an_assessment_only():
    """Reading the gate or the rooms' modules costs no import of GX, pandas or numpy."""
    code = (
        "import sys; import include.quality.assess, include.quality.gate, include.warehouse.health.assessments;"
        "print([m for m in ('great_expectations', 'pandas', 'numpy') if m in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

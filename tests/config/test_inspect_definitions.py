"""What only the org can prove wrong about a definition is found, with the nearest API name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from include.config.inspect import inspect_definitions, missing_part, nearest_name
from include.config.loader import Definitions, load_definitions
from include.records import Describe, Field


def _field(name: str, label: str = "", type: str = "string", **more: Any) -> Field:
    return Field(name=name, label=label or name, type=type, **more)


CONTACT = Describe(
    object="Contact",
    label="Contact",
    key_prefix="003",
    fields=(
        _field("Id"),
        _field("Email", "E-mail"),
        _field("MobilePhone", "Mobile"),
        _field("Loyalty_Tier__c", "Reward Level"),
        _field("MailingAddress", "Mailing Address", "address"),
        _field("MailingCity", "Mailing City", compound="MailingAddress"),
        _field("AccountId", "Account ID", "reference", reference_to=("Account",)),
        _field("Region__c", "Region", "reference", reference_to=("Region__c",)),
    ),
)
ACCOUNT = Describe(object="Account", label="Account", key_prefix="001", fields=(_field("Id"), _field("Name")))
DESCRIBED = {"Contact": CONTACT, "Account": ACCOUNT}


@pytest.fixture
def written(definitions: Path) -> Any:
    """Write an org, a push and a check with these parts, and load them."""

    def write(
        objects: tuple[str, ...] = ("Contact", "Account"),
        attributes: dict[str, str] | None = None,
        bad_when: str = "{row.Email} IS NULL",
        orgs: tuple[str, ...] = ("demo",),
        **keys: Any,
    ) -> Definitions:
        for name in orgs:
            org = {"org": name, "connection": "c", "objects": list(objects), **keys}
            (definitions / "orgs" / f"{name}.yaml").write_text(yaml.safe_dump(org))
        push = {
            "push": "people",
            "org": orgs[0],
            "source": {"object": "Contact"},
            "destination": {"platform": "insider_one", "connection": "c"},
            "schedule": "0 * * * *",
            "identifiers": {"email": "Email"},
            "attributes": attributes or {"city": "MailingCity"},
        }
        (definitions / "pushes" / "people.yaml").write_text(yaml.safe_dump(push))
        check = {
            "check": "no_email",
            "title": "No e-mail",
            "why": "Nobody can write to them",
            "category": "Incomplete",
            "severity": "info",
            "object": "Contact",
            "bad_when": bad_when,
        }
        (definitions / "checks" / "all.yaml").write_text(yaml.safe_dump({"checks": [check]}))
        loaded = load_definitions(definitions)
        assert loaded.errors == ()
        return loaded

    return write


def _said(errors: list[Any]) -> list[str]:
    return [str(error) for error in errors]


def test_good_definitions_have_nothing_said_about_them(written: Any) -> None:
    """Objects, fields and relationships are all there."""
    definitions = written(attributes={"city": "MailingCity", "company": "Account.Name"})
    assert inspect_definitions(definitions, {"demo": DESCRIBED}) == []


def test_an_object_that_the_org_lacks_is_named_with_the_nearest(written: Any) -> None:
    """From all objects of the org, by name or label."""
    errors = inspect_definitions(
        written(objects=("Contact", "Account", "Visits")),
        {"demo": DESCRIBED},
        known_objects={"demo": {"Contact": "Contact", "Site_Visit__c": "Visits"}},
    )
    assert _said(errors) == [
        "orgs/demo.yaml: objects: the org has no object Visits that our user can see "
        "('Visits' is the label of Site_Visit__c; write that)"
    ]


def test_a_field_that_the_org_lacks_is_named_with_its_key(written: Any) -> None:
    """In a push."""
    errors = inspect_definitions(written(attributes={"phone": "MobilPhone"}), {"demo": DESCRIBED})
    assert _said(errors) == [
        "pushes/people.yaml: attributes.phone: Contact has no field MobilPhone (did you mean MobilePhone?)"
    ]


def test_a_field_that_a_check_needs_and_no_org_has_is_named(written: Any) -> None:
    """The check would never be assessed."""
    errors = inspect_definitions(written(bad_when="{row.Emial} IS NULL"), {"demo": DESCRIBED})
    assert _said(errors) == [
        "checks/: no_email: Contact has no field Emial (did you mean Email?); the check is not assessed"
    ]


def test_an_object_that_a_check_needs_and_no_org_reads_is_named(written: Any) -> None:
    """The same."""
    bad_when = "NOT EXISTS (SELECT 1 FROM {Accounts} AS a WHERE {a.Id} = {row.AccountId})"
    errors = inspect_definitions(written(bad_when=bad_when), {"demo": DESCRIBED})
    assert _said(errors) == [
        "checks/: no_email: no org reads an object Accounts (did you mean Account?); the check is not assessed"
    ]


def test_a_check_that_runs_in_one_org_is_fine(written: Any) -> None:
    """It may be meant for that one."""
    poorer = {
        **DESCRIBED,
        "Contact": Describe(object="Contact", label="Contact", key_prefix="003", fields=(_field("Id"),)),
    }
    definitions = written(orgs=("demo", "other"))
    assert inspect_definitions(definitions, {"demo": DESCRIBED, "other": poorer}) == []


def test_an_org_that_could_not_be_asked_is_not_inspected(written: Any) -> None:
    """Nothing is known about it."""
    assert inspect_definitions(written(attributes={"x": "Nope"}), {}) == []


def test_a_push_whose_object_the_org_lacks_has_one_error_only(written: Any) -> None:
    """Its fields cannot be judged."""
    errors = inspect_definitions(written(), {"demo": {"Account": ACCOUNT}})
    assert [error.key for error in errors] == ["objects", "source.object", "no_email"]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("Email", ""),
        ("Account.Name", ""),
        ("Account.Nam", "Account has no field Nam (did you mean Name?)"),
        ("Acount.Name", "Contact has no relationship Acount (did you mean Account?)"),
        ("Region__r.Name", ""),
        ("Email.Name", "Contact has no relationship Email"),
        ("email", "Contact has no field email (did you mean Email?)"),
        ("Loyalty_Tier", "Contact has no field Loyalty_Tier (did you mean Loyalty_Tier__c?)"),
        (
            "Reward_Level",
            "Contact has no field Reward_Level ('Reward Level' is the label of Loyalty_Tier__c; write that)",
        ),
        ("Xyzzy", "Contact has no field Xyzzy"),
        ("MailingAddress", "Contact.MailingAddress is made of parts and is not kept; name one of them: MailingCity"),
    ],
)
def test_a_field_path_is_followed_to_its_end(path: str, problem: str) -> None:
    """What lies behind an object that was not described is not judged."""
    assert missing_part("Contact", path, DESCRIBED) == problem


def test_a_name_wins_over_a_label() -> None:
    """A field called like another one's label is meant itself."""
    assert nearest_name("status", {"Status__c": "State", "Phase": "Status"}) == "Status__c"
    assert nearest_name("Phase", {"Stage": "Phase", "phase": "Other"}) == "phase"
    assert nearest_name("anything", {}) is None


def test_a_misspelt_field_of_duplicates_is_named_with_its_file_and_key(written):
    """Those that come with Headwater and that an org does not have are no mistake: it never asked for them."""
    contact = {"email": "Private_Emial__c", "mobile": "MobilePhone", "suffix": "Reward Level".replace(" ", "_")}
    found = inspect_definitions(written(duplicates={"Contact": contact}), {"demo": DESCRIBED})
    assert _said(found) == [
        "orgs/demo.yaml: duplicates.Contact.suffix: Contact has no field Reward_Level ('Reward Level' is the label of"
        " Loyalty_Tier__c; write that)",
        "orgs/demo.yaml: duplicates.Contact.email: Contact has no field Private_Emial__c",
    ]
    typed = {"leave_out": "Loyalty_Tier__c", "birthdate": "Region__c", "zip": "MailingAddress"}
    found = inspect_definitions(written(duplicates={"Contact": typed}), {"demo": DESCRIBED})
    assert _said(found) == [
        "orgs/demo.yaml: duplicates.Contact.zip: Contact.MailingAddress is made of parts and is not kept; name one of"
        " them: MailingCity",
        "orgs/demo.yaml: duplicates.Contact.birthdate: Contact.Region__c is of type reference; birthdate takes a date",
        "orgs/demo.yaml: duplicates.Contact.leave_out: Contact.Loyalty_Tier__c is of type string; leave_out takes a"
        " checkbox",
    ]

"""What is suggested about a field, from its name, its type and what a sample of its values looks like."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from include.warehouse.engine import transaction
from include.warehouse.personal.content import sample_contents, sample_stale_contents
from include.warehouse.personal.suggestions import FieldContent, suggest


@pytest.mark.parametrize(
    ("object", "name", "type", "reason"),
    [
        ("Contact", "Email", "email", "its type is e-mail"),
        ("Contact", "LastName", "string", "its name speaks of a name"),
        ("Contact", "Name", "string", "it is the name of a person"),
        ("Contact", "Birthdate", "date", "its name speaks of an age or a birthday"),
        ("Contact", "MailingStreet", "textarea", "free text"),
        ("Lead", "Linked_In_Profile__c", "url", "a web address"),
        ("Lead", "LinkedIn__c", "string", "a way to find somebody"),
        ("Case", "ContactId", "reference", "it leads to a person (Contact)"),
        ("Contact", "Has_Disability__c", "boolean", "what the law protects most"),
        ("Contact", "Annual_Salary__c", "currency", "what somebody earns"),
        ("Contact", "Mobile__c", "string", "a phone number"),
        ("Contact", "Code__c", "encryptedstring", "Salesforce keeps it encrypted"),
    ],
)
def test_what_speaks_of_a_person_is_suggested_as_personal(object, name, type, reason):
    """Each with its reason in words."""
    found = suggest(object, name, type=type, reference_to=("Contact",) if type == "reference" else ())
    assert found is not None
    assert found.personal
    assert reason in found.reason


@pytest.mark.parametrize(
    ("object", "name", "type"),
    [
        ("Opportunity", "StageName", "picklist"),
        ("Opportunity", "Amount", "currency"),
        ("Opportunity", "CloseDate", "date"),
        ("Contact", "IsDeleted", "boolean"),
        ("Contact", "HasOptedOutOfEmail", "boolean"),
        ("Account", "Name", "string"),
        ("Lead", "Language__c", "picklist"),
        ("Asset", "Capacity__c", "double"),
        ("Case", "Hotel__c", "picklist"),
        ("Contact", "AccountId", "reference"),
    ],
)
def test_what_is_nobody_s_is_suggested_as_plain(object, name, type):
    """Amounts, stages, days, yes and no, companies."""
    found = suggest(object, name, type=type, reference_to=("Account",) if type == "reference" else ())
    assert found is not None
    assert not found.personal
    assert found.reason


def test_where_nothing_speaks_for_either_nothing_is_suggested():
    """The field stays undecided, which counts as personal."""
    assert suggest("Contact", "Code__c", type="string") is None
    assert suggest("Contact", "Code__c", type="string", content=FieldContent(filled=500)) is None


def test_values_speak_louder_than_a_name_that_says_nothing():
    """By their share; a few by chance, or a handful of values, say nothing."""
    many = FieldContent(filled=200, looks_like={"email": 190})
    found = suggest("Opportunity", "Ref__c", type="string", content=many)
    assert found is not None
    assert found.personal
    assert found.reason == "95% of 200 sampled values look like e-mail addresses"
    assert (
        suggest("Opportunity", "Ref__c", type="string", content=FieldContent(filled=200, looks_like={"ip": 3})) is None
    )
    assert suggest("Opportunity", "Ref__c", type="string", content=FieldContent(filled=5, looks_like={"ip": 5})) is None


VALUES = {
    "email": "'p' || n || '@example.com'",
    "phone": "'+49 30 ' || (1000000 + n)",
    "ip": "'10.0.0.' || n",
    "iban": "'DE89 3704 0044 0532 0130 ' || lpad(n::text, 2, '0')",
    "national_id": "'123-45-' || (6000 + n)",
    "mentions_email": "'ask p' || n || '@example.com about it'",
    "card": "'4111 1111 1111 ' || (1000 + n)",
    "name": "'Dear Mrs Smith' || n",
    "nothing": "'SO-2026-' || n",
    "stamp": "'2026-03-01 10:00:' || lpad(n::text, 2, '0')",
}


@pytest.fixture
def filled(warehouse: Engine) -> Engine:
    """Fill a table whose names of columns say nothing."""
    names = {kind: f"F{place}__c" for place, kind in enumerate(VALUES)}
    columns = ", ".join(f'"{name}" text' for name in names.values())
    values = ", ".join(VALUES.values())
    with transaction(warehouse) as connection:
        connection.execute(text("CREATE SCHEMA salesforce_demo"))
        connection.execute(
            text(
                f'CREATE TABLE salesforce_demo."Contact" ("Id" text, "LastName" text, "Age__c" integer, {columns},'
                " _deleted_at timestamptz)"
            )
        )
        connection.execute(
            text(
                f"INSERT INTO salesforce_demo.\"Contact\" SELECT n::text, 'Smith' || n, NULL, {values}"
                " FROM generate_series(1, 40) AS n"
            )
        )
        connection.execute(
            text("INSERT INTO headwater.object (org, object, first_loaded_at) VALUES ('demo', 'Contact', now())")
        )
        for place, name in enumerate(["Id", "LastName", "Age__c", *names.values()]):
            connection.execute(
                text(
                    "INSERT INTO headwater.field (org, object, position, name, label, type)"
                    " VALUES ('demo', 'Contact', :place, :name, :name, 'string')"
                ),
                {"place": place, "name": name},
            )
    return warehouse


def test_values_are_counted_in_the_database_and_only_counts_are_kept(filled: Engine):
    """Each kind is found in its column and nowhere else; no value stands in what is kept."""
    assert sample_contents(filled, "demo", "Contact") == 40
    with transaction(filled) as connection:
        rows = connection.execute(
            text("SELECT field, sampled, filled, looks_like FROM headwater.field_content WHERE org = 'demo'")
        ).all()
    found = {row.field: row for row in rows}
    assert (found["Age__c"].sampled, found["Age__c"].filled) == (40, 0)
    for place, kind in enumerate(VALUES):
        row = found[f"F{place}__c"]
        expected = {} if kind in ("nothing", "stamp") else {kind: 40}
        assert (row.filled, row.looks_like) == (40, expected), kind
    assert "smith" not in str(rows).lower()


def test_values_are_looked_at_when_a_field_is_new_and_not_again(filled: Engine):
    """And again after a week."""
    assert sample_stale_contents(filled, "demo") == ("Contact",)
    assert sample_stale_contents(filled, "demo") == ()
    with transaction(filled) as connection:
        connection.execute(text("UPDATE headwater.field_content SET sampled_at = now() - interval '8 days'"))
    assert sample_stale_contents(filled, "demo") == ("Contact",)
    assert sample_stale_contents(filled, "other") == ()

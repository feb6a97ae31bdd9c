"""The register of personal fields: what nobody decided is personal, a decision holds for what it was about."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from include.records import Describe, Field
from include.warehouse.describes import keep_describe
from include.warehouse.engine import transaction
from include.warehouse.personal.audit import write_audit
from include.warehouse.personal.fields import decide_fields, decide_the_rest, personal_fields, plain_paths


def describe(
    warehouse: Engine, *fields: tuple[str, str], org: str = "demo", object: str = "Contact", held: bool = False
) -> None:
    """Keep a describe of fields by name and type; `held`: those that have become yes or no are not followed yet."""
    described = Describe(
        object=object,
        label=object,
        key_prefix="003",
        fields=tuple(Field(name=name, label=name, type=type, held=held and type == "boolean") for name, type in fields),
        last_modified="",
    )
    with transaction(warehouse) as connection:
        keep_describe(connection, org, described)


def personal(warehouse: Engine, *fields: str, org: str = "demo", object: str = "Contact") -> list[bool]:
    """Return what the register says of fields."""
    with transaction(warehouse) as connection:
        register = personal_fields(connection, org, [object])
    return [register.is_personal(object, field) for field in fields]


def decide(warehouse: Engine, *fields: str, personal: bool, object: str = "Contact") -> int:
    """Decide as an admin does."""
    with transaction(warehouse) as connection:
        return decide_fields(connection, "demo", object, fields, personal=personal, by="admin")


def trail(warehouse: Engine) -> list[tuple[str, str, str, str, str]]:
    """Return the audit trail, oldest first."""
    with transaction(warehouse) as connection:
        rows = connection.execute(
            text("SELECT who, what, field, before, after FROM headwater.audit ORDER BY audit_id")
        ).all()
    return [tuple(row) for row in rows]


CONTACT = (
    ("Id", "id"),
    ("CreatedDate", "datetime"),
    ("IsDeleted", "boolean"),
    ("LastName", "string"),
    ("Seen__c", "datetime"),
)


def test_what_nobody_decided_is_personal_but_for_ids_stamps_and_yes_and_no(warehouse):
    """Also what is not described at all, of an object that is not known, or of another org."""
    describe(warehouse, *CONTACT)
    assert personal(warehouse, *(name for name, _ in CONTACT)) == [False, False, False, True, True]
    assert personal(warehouse, "Never_Described__c") == [True]
    assert personal(warehouse, "LastName", object="Lead") == [True]
    assert personal(warehouse, "IsDeleted", org="other") == [True]


def test_a_decision_holds_until_the_next_one_and_each_leaves_a_line(warehouse):
    """Per org, object and field; what is already so changes nothing and leaves no line."""
    describe(warehouse, *CONTACT)
    describe(warehouse, *CONTACT, object="Lead")
    describe(warehouse, *CONTACT, org="other")
    assert decide(warehouse, "LastName", "IsDeleted", "Unknown__c", personal=False) == 2
    assert personal(warehouse, "LastName", "IsDeleted") == [False, False]
    assert personal(warehouse, "LastName", object="Lead") == [True]
    assert personal(warehouse, "LastName", org="other") == [True]
    assert decide(warehouse, "LastName", personal=False) == 0
    assert decide(warehouse, "LastName", "IsDeleted", personal=True) == 2
    assert personal(warehouse, "LastName", "IsDeleted") == [True, True]
    assert trail(warehouse) == [
        ("admin", "decided", "IsDeleted", "undecided", "plain"),
        ("admin", "decided", "LastName", "undecided", "plain"),
        ("admin", "decided", "IsDeleted", "plain", "personal"),
        ("admin", "decided", "LastName", "plain", "personal"),
    ]


def test_there_is_nothing_to_decide_about_an_id_and_the_system_s_stamps(warehouse):
    """A record is named by its Id everywhere."""
    describe(warehouse, *CONTACT)
    assert decide(warehouse, "Id", "CreatedDate", personal=True) == 0
    assert personal(warehouse, "Id", "CreatedDate") == [False, False]


@pytest.mark.parametrize("becomes", ["phone", "textarea"])
def test_a_field_that_became_another_one_counts_as_personal_again(warehouse, becomes):
    """A decision was about what the field was; the same holds when it was gone and came back."""
    describe(warehouse, *CONTACT, ("Code__c", "string"), ("Old__c", "string"))
    decide(warehouse, "Code__c", "Old__c", personal=False)
    describe(warehouse, *CONTACT, ("Code__c", becomes))
    assert personal(warehouse, "Code__c", "Old__c") == [True, False]
    describe(warehouse, *CONTACT, ("Code__c", becomes), ("Old__c", "string"))
    assert personal(warehouse, "Old__c") == [True]
    assert decide(warehouse, "Code__c", "Old__c", personal=False) == 2
    assert personal(warehouse, "Code__c", "Old__c") == [False, False]
    assert trail(warehouse)[-1] == ("admin", "decided", "Old__c", "lapsed", "plain")


def test_a_field_whose_new_type_waits_for_a_person_is_personal_until_it_is_followed(warehouse):
    """It is said to be yes or no, and its column still holds the texts of before."""
    describe(warehouse, *CONTACT, ("Note__c", "string"), ("Other__c", "string"))
    decide(warehouse, "Other__c", personal=False)
    describe(warehouse, *CONTACT, ("Note__c", "boolean"), ("Other__c", "boolean"), held=True)
    assert personal(warehouse, "Note__c", "Other__c") == [True, True]
    decide(warehouse, "Note__c", "Other__c", personal=False)
    assert personal(warehouse, "Note__c", "Other__c") == [True, True]
    describe(warehouse, *CONTACT, ("Note__c", "boolean"), ("Other__c", "boolean"))
    assert personal(warehouse, "Note__c", "Other__c") == [False, False]


def test_who_marks_an_object_reviewed_decides_what_was_left_as_it_counted(warehouse):
    """Nothing becomes visible by it, and a field that comes later is undecided again."""
    describe(warehouse, *CONTACT)
    decide(warehouse, "Seen__c", personal=False)
    with transaction(warehouse) as connection:
        assert decide_the_rest(connection, "demo", "Contact", by="admin") == 2
    assert personal(warehouse, "LastName", "IsDeleted", "Seen__c") == [True, False, False]
    assert trail(warehouse)[1:] == [
        ("admin", "reviewed the object", "LastName", "undecided", "personal"),
        ("admin", "reviewed the object", "IsDeleted", "undecided", "plain"),
    ]
    describe(warehouse, *CONTACT, ("New__c", "string"))
    assert personal(warehouse, "New__c") == [True]


@pytest.mark.parametrize(
    "attempt",
    ["UPDATE headwater.audit SET who = 'nobody'", "DELETE FROM headwater.audit", "TRUNCATE headwater.audit"],
)
def test_nobody_rewrites_the_audit_trail(warehouse, attempt):
    """Not even the owner of the table, without undoing the trigger in plain sight."""
    with transaction(warehouse) as connection:
        write_audit(connection, who="admin", what="tried", org="demo")
    with pytest.raises(DBAPIError, match="is only added to"), transaction(warehouse) as connection:
        connection.execute(text(attempt))
    assert len(trail(warehouse)) == 1


def test_a_decision_that_fails_leaves_no_line(warehouse):
    """Decision and trail are one transaction."""
    describe(warehouse, *CONTACT)
    with warehouse.connect() as connection, connection.begin() as work:
        assert decide_fields(connection, "demo", "Contact", ["LastName"], personal=False, by="admin") == 1
        work.rollback()
    assert personal(warehouse, "LastName") == [True]
    assert trail(warehouse) == []


def test_a_path_over_relationships_is_plain_if_its_field_is_wherever_it_leads(warehouse):
    """An owner is a user or a queue; a path that leads nowhere is personal."""
    describe(warehouse, *CONTACT)
    with transaction(warehouse) as connection:
        connection.execute(
            text(
                "INSERT INTO headwater.field (org, object, position, name, label, type, reference_to) VALUES"
                " ('demo', 'Contact', 9, 'AccountId', '', 'reference', '{Account}'),"
                " ('demo', 'Contact', 9, 'Site__c', '', 'reference', '{Account}'),"
                " ('demo', 'Account', 9, 'OwnerId', '', 'reference', '{User,Group}'),"
                " ('demo', 'Account', 1, 'Name', '', 'string', '{}'), ('demo', 'User', 1, 'Name', '', 'string', '{}'),"
                " ('demo', 'Group', 1, 'Name', '', 'string', '{}')"
            )
        )
    paths = ("Id", "LastName", "Account.Name", "Site__r.Name", "Account.Owner.Name", "Nothing.Name")

    def plain() -> set[str]:
        with transaction(warehouse) as connection:
            return set(plain_paths(connection, "demo", "Contact", paths))

    assert plain() == {"Id"}
    decide(warehouse, "Name", personal=False, object="Account")
    decide(warehouse, "Name", personal=False, object="Group")
    assert plain() == {"Id", "Account.Name", "Site__r.Name"}
    decide(warehouse, "Name", personal=False, object="User")
    assert plain() == {"Id", "Account.Name", "Site__r.Name", "Account.Owner.Name"}

"""Duplicates are found by what records share, not by what only looks alike; what did not change is not compared."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import text

from include.config.checks import CheckDefinition
from include.quality.duplicates import find_duplicates
from include.warehouse.belongings import forget
from include.warehouse.duplicates.ledger import FoundPair, store_pairs
from include.warehouse.engine import transaction

PEOPLE = ("Contact", "Contact")
AMONG = ("Lead", "Contact")


def person(record_id: str, first: str | None, last: str | None, **fields: object) -> dict[str, object]:
    return {"Id": record_id, "FirstName": first, "LastName": last, **fields}


def compare(org, *wanted):
    return find_duplicates(org.engine, org.definition, set(wanted or (PEOPLE,)))


def rows(org, sql: str, **values: object):
    with org.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql), values)]


def pairs(org, object: str = "Contact") -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for left, right, rule in rows(
        org, "SELECT left_id, right_id, rule FROM headwater.duplicate_pair WHERE object = :object", object=object
    ):
        found.setdefault((left, right), set()).add(rule)
    return found


def clusters(org, object: str = "Contact") -> Mapping[int, set[str]]:
    found: dict[int, set[str]] = {}
    for cluster, record in rows(
        org, "SELECT cluster_id, record_id FROM headwater.duplicate_member WHERE object = :object", object=object
    ):
        found.setdefault(cluster, set()).add(record)
    return found


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        ({"Email": "Ann@X.de"}, {"Email": " ann@x.DE "}, "email"),
        ({"Email": "ann.li+news@gmail.com"}, {"Email": "annli@googlemail.com"}, "email"),
        ({"Email": "info@x.de"}, {"Email": "INFO@x.de"}, "email"),  # of a role, but of one name too
        ({"Phone": "+49 30 523456-78"}, {"Phone": "(030) 52345678 ext. 9"}, "phone"),
        ({"Phone": "+49 30 12345679"}, {"MobilePhone": "030 12345679"}, "phone"),
        ({"AccountId": "a1"}, {"AccountId": "a1"}, "name"),
    ],
)
def test_two_spellings_of_one_thing_make_two_records_one(make_org, one, other, rule):
    """Case, blanks, country codes and extensions do not hide that an address or number is the same."""
    org = make_org()
    org.put("Contact", person("1", "Ann", "Lee", **one), person("2", "Ann", "LEE", **other))
    compare(org)
    assert rule in pairs(org)["1", "2"]


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        (("Robert", "Ray"), ("Bob", "Ray"), "nickname"),
        (("Иван", "Петров"), ("Ваня", "Петров"), "nickname"),
        (("Ray", "Robert"), ("Robert", "Ray"), "swapped"),
        (("Jürgen", "Müller"), ("Juergen", "Mueller"), "phone"),
        (("Søren", "Weiß"), ("Soeren", "WEISS"), "phone"),
        (("Jean-Luc", "O'Brien"), ("Jean Luc", "OBrien"), "phone"),
        (("Martin", "Kaya"), ("Matrin", "Kaya"), "typo"),
        (("Martin", "Kaya"), ("Martn", "Kaya"), "typo"),
        (("Maximiliane", "Kaya"), ("Maximillianne", "Kaya"), "similar"),
    ],
)
def test_names_that_are_forms_of_one_are_found_behind_one_number_at_one_account(make_org, one, other, rule):
    """Short forms, both orders, accents, slips and near spellings."""
    org = make_org()
    shared = {"Phone": "+49 30 5551234", "AccountId": "a1"}
    org.put("Contact", person("1", *one, **shared), person("2", *other, **shared))
    compare(org)
    assert rule in pairs(org)["1", "2"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # A family: one home, one number.
        (person("1", "Anna", "Kaya", Phone="+49 30 5551234"), person("2", "Peter", "Kaya", Phone="+49 30 5551234")),
        # Two people of one name, born on different days.
        (
            person("1", "Ann", "Lee", AccountId="a1", Birthdate="1980-05-06"),
            person("2", "Ann", "Lee", AccountId="a1", Birthdate="1985-01-02"),
        ),
        # A mailbox of a role, a switchboard.
        (person("1", "Ann", "Lee", Email="sales@x.de"), person("2", "Bo", "Ray", Email="sales@x.de")),
        (
            person("1", "Ann", "Lee", Phone="+49 30 5551234", AccountId="a1"),
            person("2", "Bo", "Ray", Phone="+49 30 5551234", AccountId="a1"),
        ),
        # Father and son.
        (
            person("1", "John", "Ray", Phone="+1 415 5551234", Birthdate="1950-05-06"),
            person("2", "John", "Ray", Phone="+1 415 5551234", Birthdate="1981-05-06"),
        ),
        (
            person("1", "John", "Ray Sr.", Phone="+1 415 5551234"),
            person("2", "John", "Ray, Jr.", Phone="+1 415 5551234"),
        ),
        # No numbers at all.
        (person("1", "Ann", "Lee", Phone="000-000-0000"), person("2", "Ann", "Lee", Phone="0000000000")),
        (person("1", "Ann", "Lee", Phone="n/a"), person("2", "Ann", "Lee", Phone="call me")),
        (person("1", "Ann", "Lee", Email="a@b"), person("2", "Ann", "Lee", Email="a@b")),
    ],
)
def test_who_only_looks_alike_is_left_alone(make_org, one, other):
    """Households, namesakes, shared mailboxes and numbers, generations, and what is no number."""
    org = make_org()
    org.put("Contact", one, other)
    compare(org)
    assert pairs(org) == {}


def test_companies_are_compared_without_their_legal_form(make_org):
    """A name and a website in two spellings are one company; two companies of one website are not."""
    org = make_org()
    org.put(
        "Account",
        {"Id": "1", "Name": "Blue Harbor Sp. z o.o.", "Website": "https://www.blue.example/x"},
        {"Id": "2", "Name": "BLUE HARBOR", "Website": "blue.example"},
        {"Id": "3", "Name": "Red River", "Website": "blue.example"},
        {"Id": "4", "Name": "Blue Harbor Ltd.", "Website": "facebook.com/blue"},
        {"Id": "5", "Name": "Blue Harbor", "Website": "facebook.com/harbor"},
    )
    compare(org, ("Account", "Account"))
    assert pairs(org, "Account") == {("1", "2"): {"website"}}


def test_a_lead_who_is_a_contact_is_found_until_it_is_converted(make_org):
    """Across objects the same rules hold; a converted lead is no duplicate any more."""
    org = make_org()
    org.put("Contact", person("c1", "Ann", "Lee", Email="ann@x.de"), person("c2", "Bo", "Ray", Email="bo@x.de"))
    org.put("Lead", person("l1", "Ann", "Lee", Email="ANN@x.de"), person("l2", "Cy", "Day", Email="bo@x.de"))
    compare(org, AMONG)
    links = "SELECT record_id, other_id, rule FROM headwater.duplicate_link"
    assert rows(org, links) == [("l1", "c1", "email")]
    org.put("Lead", person("l3", "Bo", "Ray", Email="bo@x.de"), person("l1", "Ann", "Lee", IsConverted=True))
    compare(org, AMONG)
    assert rows(org, links) == [("l3", "c2", "email")]
    org.delete("Contact", "c2")
    compare(org, AMONG)
    assert rows(org, links) == []


def test_what_did_not_change_is_not_compared_again(make_org):
    """A pass says how many records it compared: none, one, and all of them when a rule is another."""
    org = make_org()
    org.put("Contact", *(person(str(n), "Ann", f"Lee{n}", Email=f"ann{n}@x.de") for n in range(20)))
    first = compare(org)[PEOPLE]
    assert (first.passed.whole, first.passed.changed) == (True, 20)
    assert compare(org)[PEOPLE].passed is None
    org.put("Contact", person("3", "Ann", "Lee4", Email="ann4@x.de"))
    again = compare(org)[PEOPLE]
    assert (again.passed.whole, again.passed.changed, again.passed.found) == (False, 1, 1)
    assert again.state != first.state
    stricter = org.definition.duplicates["Contact"].model_copy(update={"rules_off": ("email",)})
    org.definition = org.definition.model_copy(update={"duplicates": {"Contact": stricter}})
    off = compare(org)[PEOPLE]
    assert (off.passed.whole, off.passed.lost, pairs(org)) == (True, 1, {})
    assert off.unusable == {"email": "it is switched off (rules_off)"}


def test_a_key_that_too_many_share_says_nothing_until_fewer_do(make_org):
    """Thirty-one contacts of one address are not four hundred duplicates; when one leaves, they are."""
    org = make_org()
    org.put("Contact", *(person(f"{n:02}", "Ann", "Lee", Email="ann@x.de") for n in range(30)))
    compare(org)
    assert len(pairs(org)) == 30 * 29 / 2
    org.put("Contact", person("30", "Ann", "Lee", Email="ann@x.de"))
    compare(org)
    assert pairs(org) == {}
    org.delete("Contact", "00")
    compare(org)
    assert len(pairs(org)) == 30 * 29 / 2


def test_a_lost_column_stops_no_load_and_is_noticed_by_the_next_comparison(make_org):
    """The rows are written, the keys are made anew of what is left, and the rule says what it lacks."""
    org = make_org()
    org.put("Contact", person("1", "Ann", "Lee", Email="ann@x.de"), person("2", "Ann", "Lee", Email="ann@x.de"))
    compare(org)
    with org.engine.begin() as connection:
        connection.execute(text('ALTER TABLE salesforce_acme."Contact" DROP COLUMN "Email"'))
    org.put("Contact", person("3", "Ann", "Lee", Phone="+49 30 5551234"))
    found = compare(org)[PEOPLE]
    assert (found.passed.whole, pairs(org)) == (True, {})
    assert found.unusable == {
        "email": "the org shows no Contact.Email: let the connection's user read it, or name another by"
        " duplicates.Contact.email in orgs/acme.yaml"
    }


def test_a_rule_whose_field_is_misspelt_says_where_and_which_one_may_be_meant(make_org):
    """File, key and the nearest field; the other rules go on."""
    org = make_org("Contact")
    told = org.definition.duplicates["Contact"].model_copy(update={"email": "EMailAdress__c", "mobile": "mobile_phone"})
    org.definition = org.definition.model_copy(update={"duplicates": {"Contact": told}})
    assert compare(org)[PEOPLE].unusable == {
        "email": "Contact has no field EMailAdress__c, which duplicates.Contact.email in orgs/acme.yaml names"
    }
    told = told.model_copy(update={"email": "E_mail", "phone": ""})
    org.definition = org.definition.model_copy(update={"duplicates": {"Contact": told}})
    assert compare(org)[PEOPLE].unusable == {
        "email": "Contact has no field E_mail, which duplicates.Contact.email in orgs/acme.yaml names; did you mean"
        " Email?",
        "phone": "Contact has no field mobile_phone, which duplicates.Contact.mobile in orgs/acme.yaml names; did you"
        " mean MobilePhone?",
    }
    org.clear("Contact")
    compare(org)
    assert rows(org, "SELECT count(*) FROM headwater.duplicate_member") == [(0,)]


@pytest.mark.parametrize("kept", [False, True], ids=["no keys yet", "other keys"])
def test_keys_that_cannot_be_made_beside_a_load_are_made_the_next_time(make_org, kept):
    """The load is not stopped and need not wait; the check says why it was not assessed this once."""
    org = make_org("Contact")
    org.put("Contact", *(person(n, "Ann", "Lee", Email="ann@x.de") for n in "12"))
    if kept:
        compare(org)
        told = org.definition.duplicates["Contact"].model_copy(update={"suffix": "MailingCountry"})
        org.definition = org.definition.model_copy(update={"duplicates": {"Contact": told}})
    with org.engine.begin() as load:
        load.execute(text('UPDATE salesforce_acme."Contact" SET "Phone" = \'1\' WHERE "Id" = \'1\''))
        found = compare(org)[PEOPLE]
        load.execute(text('UPDATE salesforce_acme."Contact" SET "Phone" = \'2\' WHERE "Id" = \'2\''))
    assert set(found.unusable.values()) == {
        "Contact is being loaded just when its keys must be made; the next assessment makes them"
    }
    compare(org)
    assert set(pairs(org)) == {("1", "2")}


def test_a_pair_of_another_source_goes_with_its_record(make_org):
    """Splink looks weekly; who is deleted is nobody's duplicate any more at the next comparison."""
    org = make_org("Contact")
    org.put("Contact", *(person(n, "Ann", f"Lee{n}", Email=f"{n}@x.de") for n in "1234"))
    compare(org)
    with transaction(org.engine) as connection:
        found = [FoundPair(left_id=a, right_id=b, rule="splink", score=0.97) for a, b in ("12", "23", "34")]
        store_pairs(connection, "acme", "Contact", "splink", found)
    org.delete("Contact", "1")
    compare(org)
    assert (set(pairs(org)), list(clusters(org).values())) == ({("2", "3"), ("3", "4")}, [{"2", "3", "4"}])
    org.clear("Contact")
    org.put("Contact", *(person(n, "Ann", f"Lee{n}", Email=f"{n}@x.de") for n in "234"))
    with org.engine.begin() as connection:
        connection.execute(text('DELETE FROM salesforce_acme."Contact" WHERE "Id" = \'4\''))
    compare(org)
    assert (set(pairs(org)), list(clusters(org).values())) == ({("2", "3")}, [{"2", "3"}])


def test_a_column_that_was_made_anew_makes_the_keys_anew(make_org):
    """Its values went without a statement that writes records, so that no trigger told it."""
    org = make_org("Contact")
    org.put("Contact", *(person(n, "Ann", "Lee", Email="ann@x.de") for n in "12"))
    compare(org)
    with org.engine.begin() as connection:
        for change in ('DROP COLUMN "Email"', 'ADD COLUMN "Email" text'):
            connection.execute(text(f'ALTER TABLE salesforce_acme."Contact" {change}'))
    compare(org)
    assert pairs(org) == {}


def test_a_deleted_record_leaves_no_name_behind(make_org):
    """Nothing of a record that is gone stays among the keys, nor of one that was taken out of the table."""
    org = make_org()
    org.put("Contact", *(person(n, "Ann", "Lee", Email="ann@x.de") for n in "123"))
    compare(org)
    org.delete("Contact", "1")
    with org.engine.begin() as connection:
        connection.execute(text('DELETE FROM salesforce_acme."Contact" WHERE "Id" = \'2\''))
    ((set_id,),) = rows(org, "SELECT set_id FROM headwater.match_set WHERE object = 'Contact'")
    assert rows(org, f"SELECT count(*) FROM headwater.match_keys_{set_id} WHERE last IS NOT NULL") == [(1,)]
    compare(org)
    assert rows(org, f"SELECT record_id FROM headwater.match_keys_{set_id}") == [("3",)]
    assert (pairs(org), clusters(org)) == ({}, {})


def test_an_id_that_was_updated_by_hand_takes_its_keys_along(make_org):
    """Whoever it was before is nobody's duplicate; in a row of Ids that move up, keys go along."""
    org = make_org("Contact")
    org.put("Contact", *(person(n, "Ann", "Lee", Email="ann@x.de") for n in "12"), person("3", "Bo", "Orr"))
    compare(org)
    with org.engine.begin() as connection:
        connection.execute(text('UPDATE salesforce_acme."Contact" SET "Id" = \'9\' WHERE "Id" = \'1\''))
    compare(org)
    assert (set(pairs(org)), list(clusters(org).values())) == ({("2", "9")}, [{"2", "9"}])
    with org.engine.begin() as connection:
        for change in ('DROP CONSTRAINT "Contact_pkey"', 'ADD PRIMARY KEY ("Id") DEFERRABLE INITIALLY DEFERRED'):
            connection.execute(text(f'ALTER TABLE salesforce_acme."Contact" {change}'))
    with org.engine.begin() as connection:  # 2 -> 3 -> 9 -> 10
        moved = "CASE \"Id\" WHEN '2' THEN '3' WHEN '3' THEN '9' ELSE '10' END"
        connection.execute(text(f'UPDATE salesforce_acme."Contact" SET "Id" = {moved}'))
    compare(org)
    assert (set(pairs(org)), list(clusters(org).values())) == ({("10", "3")}, [{"3", "10"}])
    ((set_id,),) = rows(org, "SELECT set_id FROM headwater.match_set WHERE object = 'Contact'")
    kept = rows(org, f"SELECT record_id, first FROM headwater.match_keys_{set_id} ORDER BY record_id")
    assert kept == [("10", "ann"), ("3", "ann"), ("9", "bo")]


def test_a_cluster_keeps_its_number_while_it_grows_shrinks_merges_and_splits(make_org):
    """The oldest of two that meet stays and the other points to it; of two parts the larger keeps the number."""
    org = make_org()
    mails = {"1": "a", "2": "a", "3": "b", "4": "b", "5": "c"}
    org.put("Contact", *(person(n, "Ann", "Lee", Email=f"{mail}@x.de") for n, mail in mails.items()))
    compare(org)
    one, two = sorted(clusters(org))
    assert clusters(org) == {one: {"1", "2"}, two: {"3", "4"}}
    org.put("Contact", person("5", "Ann", "Lee", Email="b@x.de"))
    compare(org)
    assert clusters(org) == {one: {"1", "2"}, two: {"3", "4", "5"}}
    # 2 has the number of 3 too: both clusters are one, and the older one.
    org.put("Contact", person("2", "Ann", "Lee", Email="a@x.de", Phone="030 5551234"))
    org.put("Contact", person("3", "Ann", "Lee", Email="b@x.de", Phone="030 5551234"))
    compare(org)
    assert clusters(org) == {one: {"1", "2", "3", "4", "5"}}
    assert rows(org, "SELECT merged_into FROM headwater.duplicate_cluster WHERE ended_at IS NOT NULL") == [(one,)]
    org.put("Contact", person("3", "Ann", "Lee", Email="b@x.de"))
    compare(org)
    (three,) = clusters(org).keys() - {one}
    assert clusters(org) == {one: {"3", "4", "5"}, three: {"1", "2"}}
    assert three > two
    happened = rows(org, "SELECT what, other_id FROM headwater.duplicate_change WHERE cluster_id = :id", id=one)
    assert ("split", three) in happened


def test_pairs_of_another_source_make_clusters_with_ours_and_leave_with_it(make_org):
    """What Splink finds joins the same clusters; its pairs are replaced by its own alone."""
    org = make_org()
    org.put("Contact", *(person(n, "Ann", "Lee", Email=f"{mail}@x.de") for n, mail in zip("123", "aab", strict=True)))
    compare(org)
    (one,) = clusters(org)
    with transaction(org.engine) as connection:
        found = [FoundPair(left_id="3", right_id="2", rule="splink", score=0.97)]
        assert store_pairs(connection, "acme", "Contact", "splink", found).found == 1
    assert clusters(org) == {one: {"1", "2", "3"}}
    compare(org)
    assert set(pairs(org)) == {("1", "2"), ("2", "3")}
    with transaction(org.engine) as connection:
        assert store_pairs(connection, "acme", "Contact", "splink", []).lost == 1
    assert clusters(org) == {one: {"1", "2"}}


def test_a_forgotten_object_leaves_no_keys_pairs_or_links(make_org):
    """Keys, their function, pairs and clusters go with the object, and what other objects had in common with it."""
    org = make_org()
    org.put("Contact", *(person(n, "Ann", "Lee", Email="ann@x.de") for n in "12"))
    org.put("Lead", person("l1", "Ann", "Lee", Email="ann@x.de"))
    compare(org, PEOPLE, AMONG)
    forget(org.engine, "acme", "Contact")
    left = "SELECT object FROM headwater.match_set UNION SELECT other_object FROM headwater.duplicate_link"
    assert rows(org, left) == [("Lead",)]
    assert (pairs(org), clusters(org)) == ({}, {})
    functions = "SELECT count(*) FROM pg_proc WHERE proname LIKE 'keep\\_match\\_keys\\_%'"
    assert rows(org, functions) == [(1,)]


def test_a_check_names_the_records_of_its_rules_and_stands_while_no_pair_changes(make_org, make_check):
    """Issues by e-mail and by number are kept apart; an edit that makes no pair judges nothing again."""
    org = make_org()
    org.put("Contact", *(person(n, "Ann", "Lee", Email="ann@x.de") for n in "12"))
    org.put("Contact", *(person(n, "Bo", "Ray", Phone="+49 30 5551234") for n in "34"))
    asked = [*(check_of(rule) for rule in ("email", "phone")), make_check()]
    org.extracted("Contact")
    first = {issue.check_id: issue for issue in org.assess(*asked).issues}
    assert (first["by_email"].failing, first["by_phone"].failing) == (2, 2)
    org.put("Contact", person("5", "Cy", "Day"))
    org.extracted("Contact")
    again = {issue.check_id: issue for issue in org.assess(*asked).issues}
    assert {name for name, issue in again.items() if issue.judged_by is not None} == {"by_email", "by_phone"}
    org.delete("Contact", "1")
    org.extracted("Contact")
    last = {issue.check_id: issue for issue in org.assess(*asked).issues}
    assert (last["by_email"].failing, last["by_phone"].failing, last["by_email"].mended) == (0, 2, 2)


def test_a_check_whose_rules_cannot_be_used_is_not_assessed_and_says_why(make_org):
    """A rule that is switched off finds nothing, which is not the same as that there is nothing."""
    org = make_org()
    off = org.definition.duplicates["Contact"].model_copy(update={"rules_off": ("email",)})
    org.definition = org.definition.model_copy(update={"duplicates": {"Contact": off}})
    (issue,) = org.assess(check_of("email")).issues
    assert (issue.verdict, issue.reason) == ("not_assessed", "email: it is switched off (rules_off)")


def test_a_rule_by_which_such_records_are_never_compared_does_not_pass(make_org):
    """A company's rule for people, or the company's name between a lead and a contact, would find nothing for ever."""
    org = make_org()
    org.put("Contact", person("1", "Ann", "Lee", Email="ann@x.de"))
    checks = (
        check_of("website"), check_of("name", object="Lead", among="Contact"), check_of("email", "website"),
        check_of("email", object="Lead", among="Account"),
    )  # fmt: skip
    reasons = {issue.check_id: issue.reason for issue in org.assess(*checks).issues}
    assert reasons == {
        "by_website": "website: Contact, a person, is compared by email, phone, swapped, nickname, typo, similar, name"
        " only",
        "by_name_among_contact": "name: Lead and Contact are compared by email, phone, swapped, nickname, typo,"
        " similar only",
        "by_email_among_account": "email: Lead and Account are not both people",
        "by_email_website": "",
    }


def check_of(*rules: str, object: str = "Contact", among: str = "") -> CheckDefinition:
    said = {"title": "Twice", "why": "because", "category": "Duplicates", "severity": "info", "object": object}
    name = f"by_{'_'.join(rules)}" + (f"_among_{among.lower()}" if among else "")
    return CheckDefinition.model_validate({"check": name, "duplicates": {"rules": rules, "among": among}, **said})

"""Planted duplicates and people who only look like duplicates: in fixed shares, each exactly as its truth says."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from include.sandbox.org.generator import vocabulary
from include.sandbox.org.generator.defects import CONTACT_TWINS, DEFECTS, LOOKALIKES
from include.sandbox.org.generator.names import NICKNAMED
from include.sandbox.org.generator.typing_errors import missed
from tests.sandbox.org.conftest import RunningOrg

Record = dict[str, Any]
Pairs = list[tuple[Record, Record]]
FIELDS = (
    "Id, FirstName, LastName, Email, Phone, MobilePhone, AccountId, Birthdate, MailingStreet, MailingCity, "
    "MailingPostalCode"
)


@pytest.fixture(scope="module")
def org(start_org: Callable[..., RunningOrg]) -> RunningOrg:
    """Return an org that is large enough for every kind of pair."""
    return start_org(contacts=6000, seed=13)


@pytest.fixture(scope="module")
def contacts(org: RunningOrg) -> dict[str, Record]:
    """Return all contacts by Id."""
    page = org.query(f"SELECT {FIELDS} FROM Contact")
    found = list(page["records"])
    while not page["done"]:
        page = org.http.get(page["nextRecordsUrl"]).json()
        found += page["records"]
    return {each["Id"]: each for each in found}


@pytest.fixture(scope="module")
def pairs(org: RunningOrg, contacts: dict[str, Record]) -> Callable[[str], Pairs]:
    """Return a function that reads the pairs of a defect, the older record first."""

    def read(name: str) -> Pairs:
        told = org.http.get(f"/sandbox/truth/{name}").json()
        assert [own for _, own in told["pairs"]] == told["ids"]
        return [(contacts[twin], contacts[own]) for twin, own in told["pairs"]]

    return read


def _digits(phone: str | None) -> str:
    return re.sub(r"\D", "", phone or "")


def _mail(record: Record) -> str:
    return (record["Email"] or "").lower()


def _name(record: Record) -> tuple[str, str]:
    return record["FirstName"], record["LastName"]


def _place(record: Record) -> tuple[str, ...]:
    return record["MailingStreet"], record["MailingCity"], record["MailingPostalCode"]


def test_the_kinds_have_their_shares(org: RunningOrg) -> None:
    """Of all duplicates and of all lookalikes; there are about as many of these as of those."""
    truth = org.http.get("/sandbox/truth").json()
    doubles = truth["contact_duplicate"]["count"]
    assert 0.04 < doubles / 6000 < 0.07
    for kind, percent in CONTACT_TWINS.items():
        assert abs(truth[f"contact_duplicate_{kind}"]["count"] / doubles - percent / 100) < 0.05, kind
    alike = org.http.get("/sandbox/truth/not_duplicates").json()
    assert 0.85 < len(alike["ids"]) / doubles < 1.18
    for kind, percent in LOOKALIKES.items():
        assert abs(len(alike["kinds"][f"not_duplicate_{kind}"]["pairs"]) / len(alike["ids"]) - percent / 100) < 0.06


def test_the_union_tells_the_kinds(org: RunningOrg) -> None:
    """Every pair stands in exactly one kind."""
    for name in ("contact_duplicate", "not_duplicates"):
        told = org.http.get(f"/sandbox/truth/{name}").json()
        by_kind = [pair for kind in told["kinds"].values() for pair in kind["pairs"]]
        assert sorted(by_kind) == sorted(told["pairs"])
        assert {own for _, own in told["pairs"]} == set(told["ids"])


def test_mails_are_shared_only_by_respelt_twins_and_mailboxes(
    contacts: dict[str, Record], pairs: Callable[[str], Pairs]
) -> None:
    """Whoever else shares an address would be a duplicate that nobody knows of."""
    sharing: dict[str, set[str]] = {}
    for each in contacts.values():
        if each["Email"] and re.fullmatch(r"[^@\s]+@[a-z0-9-]+(\.[a-z0-9-]+)+", each["Email"].lower()):
            sharing.setdefault(_mail(each), set()).add(each["Id"])
    doubled = {frozenset(ids) for mail, ids in sharing.items() if len(ids) > 1 and _local(mail) not in _mailboxes()}
    twins = pairs("contact_duplicate_email")
    assert doubled == {frozenset((twin["Id"], own["Id"])) for twin, own in twins}
    for twin, own in twins:
        assert twin["Email"] != own["Email"]
        assert [each.strip().lower() for each in _name(own)] == [each.strip().lower() for each in _name(twin)]


def _local(mail: str) -> str:
    return mail.split("@")[0]


def _mailboxes() -> tuple[str, ...]:
    return vocabulary.ROLE_MAILBOXES


def test_a_phone_twin_writes_the_same_number_differently(pairs: Callable[[str], Pairs]) -> None:
    """Same name, another address."""
    for twin, own in pairs("contact_duplicate_phone"):
        assert _name(own) == _name(twin)
        assert _digits(own["Phone"]) == _digits(twin["Phone"]) != ""
        assert own["Phone"] != twin["Phone"]
        assert _mail(own) != _mail(twin)


def test_a_mistyped_twin_misses_one_name(pairs: Callable[[str], Pairs]) -> None:
    """At the same account and address."""
    for twin, own in pairs("contact_duplicate_typo"):
        wrong = [place for place in (0, 1) if _name(own)[place] != _name(twin)[place]]
        assert len(wrong) == 1
        assert _name(own)[wrong[0]] in missed(_name(twin)[wrong[0]])
        assert own["AccountId"] == twin["AccountId"]
        assert _place(own) == _place(twin)
        assert _mail(own) != _mail(twin)


def test_a_nicknamed_twin_has_the_other_form_of_the_name(pairs: Callable[[str], Pairs]) -> None:
    """Same last name, phone and account."""
    for twin, own in pairs("contact_duplicate_nickname"):
        assert own["FirstName"] == vocabulary.NICKNAMES[twin["FirstName"]][0]
        assert (own["LastName"], own["Phone"], own["AccountId"]) == (
            twin["LastName"], twin["Phone"], twin["AccountId"],
        )  # fmt: skip


def test_a_swapped_twin_has_its_names_in_each_others_place(pairs: Callable[[str], Pairs]) -> None:
    """Same phone and account."""
    for twin, own in pairs("contact_duplicate_swapped"):
        assert _name(own) == _name(twin)[::-1]
        assert (own["Phone"], own["AccountId"]) == (twin["Phone"], twin["AccountId"])


def test_a_moved_twin_works_elsewhere(pairs: Callable[[str], Pairs]) -> None:
    """New account and address of mail, the private number stays."""
    for twin, own in pairs("contact_duplicate_moved"):
        assert _name(own) == _name(twin)
        assert own["AccountId"] != twin["AccountId"]
        assert own["MobilePhone"] == twin["MobilePhone"] is not None
        assert _mail(own).split("@")[1].startswith("company")
        assert _mail(own) != _mail(twin)


def test_a_household_shares_phone_and_address(pairs: Callable[[str], Pairs]) -> None:
    """Not the first name, nor a form of it."""
    for twin, own in pairs("not_duplicate_household"):
        assert own["LastName"] == twin["LastName"]
        assert own["FirstName"] not in (twin["FirstName"], vocabulary.NICKNAMES.get(twin["FirstName"], ("",))[0])
        assert own["Phone"] == twin["Phone"] is not None
        assert _place(own) == _place(twin)
        assert _mail(own) != _mail(twin)


def test_namesakes_at_one_account_were_born_on_different_days(pairs: Callable[[str], Pairs]) -> None:
    """And share neither phone nor address."""
    for twin, own in pairs("not_duplicate_same_name"):
        assert (_name(own), own["AccountId"]) == (_name(twin), twin["AccountId"])
        assert own["Birthdate"] != twin["Birthdate"]
        assert None not in (own["Birthdate"], twin["Birthdate"])
        assert _place(own) != _place(twin)
        assert _mail(own) != _mail(twin)


def test_a_role_mailbox_belongs_to_two_people_of_one_account(pairs: Callable[[str], Pairs]) -> None:
    """Their names differ."""
    for twin, own in pairs("not_duplicate_role_mailbox"):
        assert own["AccountId"] == twin["AccountId"]
        assert own["Email"] == twin["Email"]
        assert _local(own["Email"]) in _mailboxes()
        assert own["LastName"] != twin["LastName"]


def test_a_switchboard_belongs_to_two_people_of_one_account(pairs: Callable[[str], Pairs]) -> None:
    """Their names and addresses differ."""
    for twin, own in pairs("not_duplicate_switchboard"):
        assert (own["AccountId"], own["Phone"]) == (twin["AccountId"], twin["Phone"])
        assert own["LastName"] != twin["LastName"]
        assert _mail(own) != _mail(twin)


def test_parent_and_child_were_born_decades_apart(pairs: Callable[[str], Pairs]) -> None:
    """Though they share name, phone and address."""
    for twin, own in pairs("not_duplicate_generations"):
        assert (_name(own), own["Phone"], _place(own)) == (_name(twin), twin["Phone"], _place(twin))
        years = date.fromisoformat(twin["Birthdate"]) - date.fromisoformat(own["Birthdate"])
        assert 9000 <= years.days <= 11_000


def test_leads_who_are_contacts_are_exactly_their_truth(org: RunningOrg, contacts: dict[str, Record]) -> None:
    """Their address is that contact's in another spelling; no other lead has a contact's address."""
    by_mail = {_mail(each): each["Id"] for each in contacts.values() if each["Email"]}
    leads = org.query("SELECT Id, Email FROM Lead WHERE Email != null LIMIT 2000")["records"]
    leads += org.query("SELECT Id, Email FROM Lead WHERE Email != null LIMIT 2000 OFFSET 2000")["records"]
    usual = [each for each in leads if not each["Email"].startswith("test") and "@example" not in each["Email"][:8]]
    broken = set(org.http.get("/sandbox/truth/lead_invalid_email").json()["ids"])
    doubled = {each["Id"] for each in usual if _mail(each) in by_mail and each["Id"] not in broken}
    told = org.http.get("/sandbox/truth/lead_duplicates_contact").json()
    assert doubled == set(told["ids"])
    spelt = {each["Id"]: each["Email"] for each in leads}
    for contact, lead in told["pairs"]:
        assert contacts[contact]["Email"].lower() == spelt[lead].lower()
        assert contacts[contact]["Email"] != spelt[lead]


def test_the_share_of_names_with_a_short_form_is_the_one_reckoned_with() -> None:
    """Else there would be too few nicknames among the duplicates."""
    nickname = next(each for each in DEFECTS if each.name == "contact_duplicate_nickname")
    assert nickname.possible == len(NICKNAMED) / len(vocabulary.FIRST_NAMES)


def test_every_account_twin_is_the_company_of_the_record_before(org: RunningOrg) -> None:
    """Name and website respelt, as ever."""
    told = org.http.get("/sandbox/truth/account_duplicate").json()
    names = {each["Id"]: each["Name"] for each in org.query("SELECT Id, Name FROM Account LIMIT 2000")["records"]}
    assert told["pairs"]
    for twin, own in told["pairs"]:
        assert names[own].strip() == names[twin].lower()
        assert names[own] != names[twin]

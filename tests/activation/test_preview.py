"""A preview and a dry run show what would be sent; nothing is sent, and nothing is remembered."""

from __future__ import annotations

from typing import Any

from include.activation.masking import masked_body
from include.activation.options import PushRunOptions
from include.activation.preview import dry_run_push, preview_push
from include.destinations.klaviyo.destination import Klaviyo
from include.records import Event, OutcomeCounts, Profile
from include.warehouse.engine import transaction
from include.warehouse.personal.fields import decide_fields
from tests.activation.noted import Noted
from tests.activation.source import NOW, OPTIONS, Org, contact_id, definition, deliver, insider_one, select

ID = "003D000000QV9nlIAD"
NOWHERE = "http://127.0.0.1:1"  # nobody listens there: whatever were sent would be an error
LEDGERS = ("sent", "outbox", "push_request", "sync_error")


def kept(org: Org) -> list[Any]:
    return [org.run(f"SELECT count(*) FROM headwater.{ledger}")[0][0] for ledger in LEDGERS]


def test_a_preview_is_the_request_as_the_platform_would_get_it(org: Org) -> None:
    """Unmasked for those who may see it."""
    org.add_contact(1, Title="CTO")

    (found,) = preview_push(org.engine, definition(), insider_one(NOWHERE), unmasked=True, now=NOW)

    assert (found.record_id, found.outcome, found.masked) == (contact_id(1), "send", False)
    assert found.body == {
        "skip_hook": False,
        "users": [
            {
                "identifiers": {"uuid": contact_id(1), "email": "ada1@example.com"},
                "attributes": {
                    "name": "Ada",
                    "surname": "Nr 1",
                    "birthday": "1990-01-02T00:00:00Z",
                    "custom": {"title": "CTO", "source": "salesforce"},
                },
                "events": [
                    {
                        "event_name": "contact_updated",
                        "timestamp": "2026-11-21T12:00:00Z",
                        "event_params": {"custom": {"title": "CTO"}},
                    }
                ],
            }
        ],
    }
    assert kept(org) == [0, 0, 0, 0]
    assert org.run("SELECT count(*) FROM headwater.run") == [(0,)]


def test_people_s_values_are_masked(org: Org) -> None:
    """Names, addresses and dates; what the definition says, the Id and the shape stay."""
    org.add_contact(1, FirstName="Canary", LastName="Kanarienvogel", Email="canary@example.com", Title="Canarian")

    (found,) = preview_push(org.engine, definition(), insider_one(NOWHERE), now=NOW)

    shown = found.pretty.casefold()
    assert "canar" not in shown
    assert "kanarien" not in shown
    assert "1990" not in shown
    assert '"source": "salesforce"' in shown
    assert '"event_name": "contact_updated"' in shown
    assert contact_id(1).casefold() in shown


def test_masking_hides_numbers_and_lists_too() -> None:
    """Whatever a platform makes of a value."""
    profile = Profile(
        record_id="003D000000QV9nlIAD",
        identifiers={},
        events=(Event(key="k", name="won", at=NOW, params={"amount": 7}),),
    )
    body = {
        "type": "profile",
        "n": 7,
        "d": {"list": ["secret", 1.5, None, True]},
        "metric": "won",
        "id": ID,
    }

    assert masked_body(body, definition(), profile) == {
        "type": "profile",
        "n": "•••",
        "d": {"list": ["•••", "•••", None, True]},
        "metric": "won",
        "id": ID,
    }


def decide(org: Org, *fields: str, personal: bool, object: str = "Contact") -> None:
    with transaction(org.engine) as connection:
        decide_fields(connection, "demo", object, fields, personal=personal, by="admin")


def test_what_people_decided_not_to_be_personal_is_shown(org: Org) -> None:
    """And masked again once it is personal; what has the same value in a personal field stays masked."""
    org.add_contact(1, FirstName="Ada", LastName="CTO", Title="CTO")

    def shown() -> str:
        (found,) = preview_push(org.engine, definition(), insider_one(NOWHERE), now=NOW)
        assert found.masked
        return found.pretty

    assert '"CTO"' not in shown()
    decide(org, "Title", personal=False)
    assert shown().count('"title": "CTO"') == 2
    assert '"surname": "•••"' in shown()
    assert "ada1@example.com" not in shown()
    decide(org, "Title", personal=True)
    assert '"CTO"' not in shown()


def test_a_name_that_stands_for_a_personal_field_too_is_masked_in_both(org: Org) -> None:
    """In a request one cannot be told from the other."""
    profile = Profile(
        record_id="003",
        identifiers={"email": "a@example.com"},
        attributes={"name": "Ada", "email": "a@example.com"},
        custom_attributes={"name": "Head office", "city": "Berlin", "n": 7},
    )
    push = definition(
        attributes={"name": "FirstName", "email": "Email"},
        custom_attributes={"name": "Site__c", "city": "MailingCity", "n": "Visits__c"},
        event=None,
    )
    body = {
        "name": "Ada",
        "email": "a@example.com",
        "custom": {"name": "Head office", "city": "Berlin", "n": 7, "x": 7},
    }

    assert masked_body(body, push, profile, {"Site__c", "MailingCity", "Visits__c", "Email"}) == {
        "name": "•••",
        "email": "•••",
        "custom": {"name": "•••", "city": "Berlin", "n": 7, "x": "•••"},
    }


def test_no_letter_and_no_yes_of_a_person_is_shown() -> None:
    """Nor what equals a value that is shown elsewhere: who has it would be told from who has another."""
    profile = Profile(
        record_id="003",
        identifiers={},
        attributes={"surname": "Zwitscher", "gender": "f", "ill": True},
        custom_attributes={"country": "DE", "stage": "won", "vip": True},
        events=(Event(key="k", name="won", at=NOW, params={}),),
    )
    push = definition(
        attributes={"surname": "LastName", "gender": "Gender__c", "ill": "Ill__c"},
        custom_attributes={"country": "MailingCountry", "stage": "Stage__c", "vip": "Vip__c"},
        custom_fixed={"market": "DE"},
    )
    body = {"surname": "Zwitscher", "gender": "f", "ill": True, "country": "DE", "stage": "won", "vip": True}
    envelope = {"market": "DE", "event_name": "won", "skip_hook": True, "none": None}

    assert masked_body(body | envelope, push, profile, {"Vip__c"}) == {
        "surname": "•••",
        "gender": "•••",
        "ill": "•••",
        "country": "•••",
        "stage": "•••",
        "vip": True,
        "market": "DE",
        "event_name": "won",
        "skip_hook": "•••",
        "none": None,
    }


def test_the_key_of_a_row_is_masked_where_it_is_no_id_of_salesforce() -> None:
    """A model may know its rows by an address."""
    profile = Profile(record_id="ada@example.com", identifiers={"email": "ada@example.com"})
    assert masked_body({"email": "ada@example.com"}, definition(), profile) == {"email": "•••"}


def test_named_records_are_shown_with_their_fate(org: Org) -> None:
    """Sent before, skipped by a rule, refused by our own check."""
    org.add_contacts(3)
    push = definition(identifiers={"email": "Email"}, attributes={"name": "FirstName", "age": "LastName"})
    org.touch(2, Email="nobody")

    found = preview_push(
        org.engine,
        push,
        insider_one(NOWHERE),
        record_ids=(contact_id(1), contact_id(2), contact_id(9)),
        limit=3,
        now=NOW,
    )

    assert {each.record_id: (each.outcome, each.cause) for each in found} == {
        contact_id(1): ("rejected", "invalid_age"),
        contact_id(2): ("skipped", "no_valid_identifier"),
    }


def test_what_the_platform_has_already_is_said_to_be_unchanged(org: Org) -> None:
    """With the request that `resend` would make."""
    org.add_contacts(1)
    deliver(org.engine, definition(), Noted(), select(org.engine, definition()).run_id)

    (found,) = preview_push(org.engine, definition(), insider_one(NOWHERE), now=NOW)

    assert found.outcome == "unchanged"
    assert "events" not in found.body["users"][0]  # its key is taken: no run would send it again


def test_a_dry_run_counts_what_would_go_and_holds_it(org: Org) -> None:
    """The outcomes add up, the ledgers of what was sent stay as they were."""
    org.add_contacts(5)
    org.touch(1, Email="nobody")
    push = definition(identifiers={"email": "Email"})
    run = select(org.engine, push, options=PushRunOptions(dry_run=True, approve_above=1))
    assert run.guard is None

    tried = dry_run_push(
        org.engine, push, insider_one(NOWHERE), run_id=run.run_id, options=PushRunOptions(batch_size=3), now=NOW
    )

    assert tried.counts == OutcomeCounts(selected=5, skipped=1, held=4)
    assert (tried.records, tried.events, tried.requests) == (4, 4, 2)
    assert "of 5 selected records 4 would go, with 4 events, in 2 requests" in tried.words
    assert kept(org) == [0, 0, 0, 0]
    (row,) = org.run("SELECT state, message FROM headwater.run")
    assert (row.state, row.message) == ("skipped", tried.words)
    assert set(org.causes(run.run_id).values()) == {"dry_run", "no_valid_identifier"}
    real = Noted()
    assert deliver(org.engine, push, real, select(org.engine, push).run_id).delivered == 4


def test_a_dry_run_after_a_delivery_finds_nothing_to_send(org: Org) -> None:
    """A mapping that says the same in other words is no change."""
    org.add_contacts(3)
    deliver(org.engine, definition(), Noted(), select(org.engine, definition()).run_id)
    push = definition(phone={"default_country": "DE"})
    run = select(org.engine, push, options=PushRunOptions(dry_run=True))

    tried = dry_run_push(org.engine, push, insider_one(NOWHERE), run_id=run.run_id, options=OPTIONS, now=NOW)

    assert tried.counts == OutcomeCounts(selected=3, unchanged=3)
    assert select(org.engine, push).to_send == 3  # the trial left no trace, so they are compared again


def test_every_request_of_a_record_is_shown(org: Org) -> None:
    """A platform that takes profiles and events apart gets two; both are masked."""
    org.add_contacts(1)
    push = definition(
        destination={"platform": "klaviyo", "connection": "klaviyo_demo"}, attributes={"first_name": "FirstName"}
    )
    (found,) = preview_push(org.engine, push, Klaviyo(base_url=NOWHERE, key="pk_x"), now=NOW)
    assert list(found.body) == ["POST /api/profile-bulk-import-jobs", "POST /api/event-bulk-create-jobs"]
    assert "Ada" not in found.pretty
    assert "contact_updated" in found.pretty

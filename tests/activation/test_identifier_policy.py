"""What becomes of a record whose identifier is not valid: as the push says, and never silently."""

from __future__ import annotations

from typing import Any

import pytest

from include.activation.options import options_of, overridden
from include.errors import DefinitionError, InvalidIdentifier
from include.records import Outcome, OutcomeCounts, Profile, Receipt
from tests.activation.mapped import map_one
from tests.activation.noted import Noted
from tests.activation.source import NOW, Org, contact_id, definition, deliver, select

ROW = {"Id": contact_id(1), "Email": "nobody at home", "Phone": "call me", "MobilePhone": None}


def mapped(policy: str, **row: Any) -> Profile | Receipt:
    push = definition(
        event=None,
        attributes={},
        custom_attributes={},
        identifiers={"email": "Email", "phone_number": ["MobilePhone", "Phone"], "uuid": "Id", "invalid": policy},
    )
    return map_one(push, ROW | row, record_id=contact_id(1), stamp=NOW, run="r", now=NOW)


def test_drop_identifier_sends_the_record_by_the_others() -> None:
    """The default."""
    found = mapped("drop_identifier")

    assert isinstance(found, Profile)
    assert found.identifiers == {"uuid": contact_id(1)}


def test_skip_record_names_the_field() -> None:
    """And not its value."""
    found = mapped("skip_record")

    assert isinstance(found, Receipt)
    assert (found.outcome, found.cause) == (Outcome.SKIPPED, "invalid_email")
    assert "Email holds no valid email" in found.message
    assert "nobody at home" not in found.message
    phone = mapped("skip_record", Email="ada@example.com")
    assert isinstance(phone, Receipt)
    assert phone.cause == "invalid_phone"


def test_send_as_is_leaves_the_verdict_to_the_platform() -> None:
    """Trimmed, otherwise as it was typed."""
    found = mapped("send_as_is", Email=" nobody at home ")

    assert isinstance(found, Profile)
    assert found.identifiers == {"email": "nobody at home", "phone_number": "call me", "uuid": contact_id(1)}


@pytest.mark.parametrize("policy", ["skip_record", "fail_run", "send_as_is"])
def test_an_empty_field_is_not_an_invalid_one(policy: str) -> None:
    """Most people lack something."""
    found = mapped(policy, Email=None, Phone="  ")

    assert isinstance(found, Profile)
    assert found.identifiers == {"uuid": contact_id(1)}


def test_a_valid_second_field_makes_up_for_an_invalid_first() -> None:
    """The first valid value is taken."""
    found = mapped("skip_record", Email="ada@example.com", MobilePhone="x", Phone="+49 30 123456")

    assert isinstance(found, Profile)
    assert found.identifiers["phone_number"] == "+4930123456"


def test_fail_run_stops_and_holds_the_rest(org: Org) -> None:
    """What was sent before stays sent; the message names the record and the field."""
    org.add_contacts(3)
    org.add_contact(4, Email="nobody at home", SystemModstamp="2026-11-21 09:00+00")
    push = definition(identifiers={"uuid": "Id", "email": "Email", "invalid": "fail_run"})
    run = select(org.engine, push)

    with pytest.raises(InvalidIdentifier, match=f"Email of the record {contact_id(4)}") as caught:
        deliver(org.engine, push, Noted(), run.run_id)

    assert "nobody at home" not in str(caught.value)
    assert contact_id(4) in org.outcomes(run.run_id)
    assert set(org.outcomes(run.run_id).values()) <= {"delivered", "held"}


def test_a_run_may_choose_another_policy(org: Org) -> None:
    """And another country for phones; the next run without it compares again."""
    org.add_contact(1, Email="nobody at home")
    push = overridden(definition(), invalid_identifiers="skip_record", phone_country="de")
    assert push.phone.default_country == "DE"

    counts = deliver(org.engine, push, Noted(), select(org.engine, push).run_id)

    assert counts == OutcomeCounts(selected=1, skipped=1)
    counts = deliver(org.engine, definition(), Noted(), select(org.engine, definition()).run_id)
    assert counts == OutcomeCounts(selected=1, delivered=1)


@pytest.mark.parametrize("said", [{"phone_country": "Germany"}, {"invalid_identifiers": "guess"}])
def test_what_a_run_says_is_judged_like_a_definition(said: dict[str, Any]) -> None:
    """A form's answer may come from a program."""
    with pytest.raises(DefinitionError, match="none of the choices"):
        overridden(definition(), **said)


@pytest.mark.parametrize(
    ("platform", "said", "message"),
    [
        (
            "intercom",
            {"skip_hook": True},
            "Intercom has no way to take data without starting journeys.*Nothing was sent",
        ),
        ("braze", {"batch_size": 76}, "Braze takes 1 to 75 records in a request, not 76. Nothing was sent"),
        ("braze", {"batch_size": 0}, "not 0"),
    ],
)
def test_what_the_platform_lacks_is_refused_before_anything_is_sent(
    platform: str, said: dict[str, Any], message: str
) -> None:
    """However the parameter came."""
    push = definition(destination={"platform": platform, "connection": "there"})

    with pytest.raises(DefinitionError, match=message):
        options_of(push, **said)

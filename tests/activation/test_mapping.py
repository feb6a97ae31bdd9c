"""Mapping of rows to profiles: pure, total, typed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.activation.events import event_key, event_name
from include.activation.fingerprint import fingerprint, mapping_seed
from include.activation.mapping import LEFT_OUT, compile_mapping
from include.activation.values import json_value
from include.config.pushes import PushDefinition
from include.records import Outcome, Profile, Receipt
from tests.activation.mapped import map_one
from tests.activation.source import NOW, contact_id, definition

WIDE: dict[str, Any] = {
    "identifiers": {
        "email": "Email",
        "phone_number": ["MobilePhone", "Phone"],
        "uuid": "Id",
        "custom": {"ext": "Ext__c"},
    },
    "attributes": {"name": "FirstName", "country": "MailingCountry", "birthday": "Birthdate", "phone_number": "Phone"},
    "custom_attributes": {"score": "Score__c", "account_name": "Account.Name"},
    "phone": {"default_country": "US", "country_field": "MailingCountry"},
    "event": {
        "name_field": "Stage",
        "time": "CloseDate",
        "params": {"url": "Url"},
        "custom_params": {"score": "Score__c"},
    },
}
PATHS = {path for _, path in definition(**WIDE).field_paths}


def row(**values: Any) -> dict[str, Any]:
    return {**dict.fromkeys(PATHS), "Id": contact_id(1), **values}


def mapped(values: dict[str, Any], push: PushDefinition | None = None) -> Profile | Receipt:
    return map_one(push or definition(**WIDE), values, record_id=contact_id(1), stamp=NOW, run="run", now=NOW)


cells = st.one_of(
    st.none(),
    st.booleans(),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00")),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.dates(),
    st.times(),
    st.datetimes(timezones=st.timezones()),
    st.lists(st.text(st.characters(exclude_categories=("Cs",))), max_size=3),
    st.sampled_from(["Germany", "+49 30 123456", "(415) 555-2671", "ada@example.com", "null", " ", "DE"]),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no finding
@given(st.fixed_dictionaries(dict.fromkeys(PATHS, cells)))
def test_mapping_is_total(values: dict[str, Any]) -> None:
    """Whatever a row holds, it ends as a profile that is JSON and has an identifier, or as a skip with a cause."""
    found = mapped(values)

    if isinstance(found, Receipt):
        assert (found.outcome, bool(found.cause)) == (Outcome.SKIPPED, True)
        return
    assert found.identifiers or found.custom_identifiers
    assert all(found.identifiers.values())
    orjson.dumps([found.attributes, found.custom_attributes, [event.params for event in found.events]])
    assert len(fingerprint(found, definition(**WIDE))) == 16


@given(st.fixed_dictionaries(dict.fromkeys(PATHS, cells)))
def test_a_skip_says_nothing_about_the_person(values: dict[str, Any]) -> None:
    """Neither cause nor message holds a value of the row."""
    found = mapped({**values, "Id": None, "Ext__c": None, "Email": "secret.person@", "Phone": "x", "MobilePhone": "x"})

    if isinstance(found, Receipt):
        assert "secret" not in found.cause + found.message


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2026, 1, 31, 12, 20, 30, tzinfo=timezone(timedelta(hours=2))), "2026-01-31T10:20:30Z"),
        (datetime(2026, 1, 31, 10, 20, 30, 120_000, tzinfo=UTC), "2026-01-31T10:20:30.120Z"),
        (date(1993, 3, 12), "1993-03-12T00:00:00Z"),
        (time(9, 30), "09:30:00.000"),
        (Decimal("1200.50"), 1200.5),
        (Decimal("3.00"), 3),
        (Decimal("NaN"), None),
        (Decimal("0.1"), 0.1),
        (0, 0),
        (False, False),
        ("  ", None),
        ("", None),
        ("NA", "NA"),
        ("None", "None"),
        (["a", None, " "], ["a"]),
        ([], None),
    ],
)
def test_values_get_the_form_that_platforms_want(value: Any, expected: Any) -> None:
    """Times are RFC 3339 in UTC, numbers exact, zero and false survive, blanks are empty."""
    found = json_value(value)

    assert (found, type(found)) == (expected, type(expected))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_decimals_survive_exactly(value: Decimal) -> None:
    """A number of up to fifteen digits reads back as the same number."""
    assert Decimal(str(json_value(value))) == value


def test_a_phone_is_read_by_the_record_s_country() -> None:
    """The country field may hold a name; without one the default country holds."""
    german = mapped(row(Phone="030 123456", MailingCountry="Deutschland"))
    american = mapped(row(Phone="(415) 555-2671"))

    assert isinstance(german, Profile)
    assert isinstance(american, Profile)
    assert german.identifiers["phone_number"] == german.attributes["phone_number"] == "+4930123456"
    assert german.attributes["country"] == "DE"
    assert american.identifiers["phone_number"] == "+14155552671"


def test_the_first_valid_field_is_the_identifier() -> None:
    """An invalid mobile number gives way to the phone number; invalid ones alone are left out."""
    found = mapped(row(MobilePhone="n/a", Phone="+49 30 123456", Email="nobody"))

    assert isinstance(found, Profile)
    assert found.identifiers == {"phone_number": "+4930123456", "uuid": contact_id(1)}


def test_an_event_takes_name_and_time_from_fields() -> None:
    """A picklist value becomes an event's name, a date midnight UTC."""
    found = mapped(row(Stage="Closed Won", CloseDate=date(2026, 5, 1), Score__c=Decimal("7")))

    assert isinstance(found, Profile)
    (event,) = found.events
    assert (event.name, event.at, event.custom_params) == ("closed_won", datetime(2026, 5, 1, tzinfo=UTC), {"score": 7})


@pytest.mark.parametrize("missing", ["Stage", "CloseDate"])
def test_without_name_or_time_there_is_no_event(missing: str) -> None:
    """The profile goes without it."""
    found = mapped(row(**{"Stage": "Won", "CloseDate": NOW, missing: None}))

    assert isinstance(found, Profile)
    assert found.events == ()


def test_the_key_of_an_event_is_its_change_or_its_run() -> None:
    """The same change has the same key whatever the zone; a run's key holds the run."""
    there = NOW.astimezone(timezone(timedelta(hours=5)))

    assert event_key("p", "003", stamp=NOW, run=None) == event_key("p", "003", stamp=there, run=None)
    assert event_key("p", "003", stamp=NOW, run="r1") != event_key("p", "003", stamp=NOW, run="r2")


def test_event_names_are_made_of_what_platforms_take() -> None:
    """Anything becomes a lower-case name or nothing."""
    assert [event_name(each) for each in ("Closed Won!", "Ängste", None, "--", "a.b-c")] == [
        "closed_won", "ngste", "", "", "a.b-c",
    ]  # fmt: skip


def test_the_time_of_processing_is_no_part_of_the_fingerprint() -> None:
    """The same payload an hour later has the same fingerprint; another title has not."""
    push = definition()
    plain = dict.fromkeys((path for _, path in push.field_paths), "some text")

    def print_at(now: datetime, **values: Any) -> bytes:
        found = map_one(push, plain | values, record_id="003", stamp=now, run="r", now=now)
        assert isinstance(found, Profile)
        return fingerprint(found, push)

    assert print_at(NOW) == print_at(NOW + timedelta(hours=1))
    assert print_at(NOW) != print_at(NOW, Title="y")


def test_the_seed_changes_with_the_mapping_only() -> None:
    """A new schedule compares as before, a new field does not."""
    assert mapping_seed(definition()) == mapping_seed(definition(schedule="0 1 * * *", description="x"))
    assert mapping_seed(definition()) != mapping_seed(definition(custom_attributes={"title": "Title"}))


def test_a_value_that_is_no_address_or_country_empties_nothing() -> None:
    """It is left out and noted; an empty field is sent as empty."""
    push = definition(
        identifiers={"uuid": "Id"},
        attributes={"email": "Email", "country": "MailingCountry", "phone_number": "Phone"},
        custom_attributes={},
        event=None,
        nulls="clear",
    )
    values = {"Id": contact_id(1), "Email": "not an address", "MailingCountry": "Atlantis", "Phone": " "}
    mapper = compile_mapping(push)

    profile, note = mapper.profile(values, record_id=contact_id(1), stamp=NOW, run="", now=NOW)

    assert (profile.attributes, note) == ({"phone_number": None}, LEFT_OUT)

"""What must never leave the connector is refused by `check`, in words that hold no value."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.destinations.insider_one.destination import InsiderOne
from include.destinations.protocol import without_expired
from include.records import Event, Outcome, Profile, Receipt

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PURCHASE = {"event_group_id": "o1", "currency": "EUR", "quantity": 1, "unit_sale_price": 9.5}


@pytest.fixture
def insider() -> InsiderOne:
    return InsiderOne(base_url="http://127.0.0.1:1", partner="headwater", token="t0p-secret")


def profile(**parts: Any) -> Profile:
    whole: dict[str, Any] = {"identifiers": {"uuid": "0035g00000ABCDEAA4"}, "attributes": {"name": "Ada"}}
    return Profile(record_id="0035g00000ABCDEAA4", **(whole | parts))


def event(name: str = "stage_changed", at: datetime = NOW, **parts: Any) -> Event:
    return Event(key="k", name=name, at=at, **parts)


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"identifiers": {"email": "ada@example.com", "phone_number": "+4930123456"}},
        {"identifiers": {}, "custom_identifiers": {"salesforce_contact_id": "003"}},
        {"attributes": {"birthday": "1993-03-12T00:00:00Z", "country": "DE", "language": "de_DE", "age": 0}},
        {"attributes": {"city": None}, "custom_attributes": {"likes": ["a", 1, True]}},
        {"attributes": {}, "events": (event(),)},
        {"events": (event("purchase", params=PURCHASE, custom_params={"stage": "won"}),)},
    ],
)
def test_a_good_profile_may_be_sent(insider: InsiderOne, parts: dict[str, Any]) -> None:
    """None means: send it."""
    assert insider.check(profile(**parts), now=NOW) is None


@pytest.mark.parametrize(
    ("parts", "cause"),
    [
        ({"identifiers": {}}, "no_identifier"),
        ({"identifiers": {"uuid": 12345}}, "invalid_identifier"),
        ({"identifiers": {"uuid": "undefined"}}, "invalid_identifier"),
        ({"identifiers": {"uuid": "  "}}, "invalid_identifier"),
        ({"identifiers": {"nickname": "secret-value"}}, "unknown_identifier"),
        ({"identifiers": {"phone_number": "12345"}}, "invalid_phone"),
        ({"identifiers": {"phone_number": "+4930123456\n"}}, "invalid_phone"),
        ({"identifiers": {"email": "secret-value"}}, "invalid_email"),
        ({"custom_identifiers": {"crm": "null"}}, "invalid_identifier"),
        ({"attributes": {"tier": "secret-value"}}, "unknown_attribute"),
        ({"attributes": {"email_optin": "true"}}, "invalid_email_optin"),
        ({"attributes": {"birthday": "1993-03-12T00:00:00+02:00"}}, "invalid_birthday"),
        ({"attributes": {"birthday": "1993-03-12"}}, "invalid_birthday"),
        ({"attributes": {"country": "Germany"}}, "invalid_country"),
        ({"attributes": {"age": True}}, "invalid_age"),
        ({"attributes": {"age": math.nan}}, "invalid_age"),
        ({"custom_attributes": {"c_tier": "Gold"}}, "invalid_name"),
        ({"custom_attributes": {"Tier": "Gold"}}, "invalid_name"),
        ({"custom_attributes": {"tier": {"a": 1}}}, "invalid_value"),
        ({"custom_attributes": {"likes": ["a", None]}}, "invalid_value"),
        ({"events": (event("homepageView"),)}, "invalid_event_name"),
        ({"events": (event(at=NOW.replace(tzinfo=None)),)}, "invalid_event_time"),
        ({"events": (event("purchase", params=PURCHASE | {"event_group_id": None}),)}, "missing_event_parameter"),
        ({"events": (event("cart_page_view"),)}, "missing_event_parameter"),
        ({"events": (event(params={"stage": "secret-value"}),)}, "unknown_event_parameter"),
        ({"events": (event(params={"shipping_cost": 4.5}),)}, "invalid_shipping_cost"),
        ({"custom_attributes": {"big": 2**70}}, "not_json"),
        ({"attributes": {"name": "\ud800"}}, "not_json"),
        ({"attributes": {"name": "x" * 4_900_000}}, "too_large"),
    ],
)
def test_a_bad_profile_is_rejected_with_a_cause(insider: InsiderOne, parts: dict[str, Any], cause: str) -> None:
    """The receipt groups by cause; its message names the place and never the value."""
    receipt = insider.check(profile(**parts), now=NOW)
    assert receipt is not None
    assert (receipt.outcome, receipt.cause, receipt.retryable) == (Outcome.REJECTED, cause, False)
    assert receipt.message
    assert "secret-value" not in receipt.message


def test_a_profile_with_nothing_to_say_is_skipped(insider: InsiderOne) -> None:
    """The platform refuses an empty `attributes`; a record of empty fields is nobody's mistake."""
    receipt = insider.check(profile(attributes={"city": None}), now=NOW)
    assert receipt is not None
    assert (receipt.outcome, receipt.cause) == (Outcome.SKIPPED, "nothing_to_send")


@pytest.mark.parametrize(
    ("name", "days", "expired"),
    [("stage_changed", 90, False), ("stage_changed", 91, True), ("purchase", 730, False), ("purchase", 731, True)],
)
def test_an_event_the_platform_would_drop_is_skipped(insider: InsiderOne, name: str, days: int, expired: bool) -> None:
    """The platform would answer success and keep nothing."""
    old = profile(events=(event(name, at=NOW - timedelta(days=days), params=PURCHASE),))
    receipt = insider.check(old, now=NOW)
    assert (receipt is not None) is expired
    if receipt is not None:
        assert (receipt.outcome, receipt.cause) == (Outcome.SKIPPED, "event_expired")


def test_without_its_expired_event_the_rest_of_a_profile_may_be_sent(insider: InsiderOne) -> None:
    """Only the old event is left out."""
    fresh = event(at=NOW)
    old = profile(events=(event(at=NOW - timedelta(days=91)), fresh))
    rest = without_expired(insider, old, now=NOW)
    assert rest == profile(events=(fresh,))
    assert insider.check(rest, now=NOW) is None


def test_the_token_is_never_shown(insider: InsiderOne) -> None:
    """Not in repr, which ends up in tracebacks and logs."""
    assert "t0p-secret" not in repr(insider)
    assert "headwater" in repr(insider)


def test_a_receipt_names_its_record(insider: InsiderOne) -> None:
    """So that it can be found in both systems."""
    receipt = insider.check(profile(attributes={"country": "Germany"}), now=NOW)
    assert receipt == Receipt(
        record_id="0035g00000ABCDEAA4",
        outcome=Outcome.REJECTED,
        cause="invalid_country",
        message="attribute country must be a country code of two capitals, such as DE",
    )

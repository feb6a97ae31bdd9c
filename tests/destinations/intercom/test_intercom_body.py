"""What is sent to Intercom of a record, and what differs from what it holds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from include.destinations.intercom import body as bodies
from include.destinations.intercom import rules
from include.records import Event, Outcome, Profile, ProfileAction

TYPES = {"tier": "string", "size": "integer", "seen_at": "date", "renewal": "date"}


def profile(**changes: Any) -> Profile:
    return Profile(
        **({"record_id": "r", "identifiers": {"email": "a@example.com"}, "attributes": {"name": "A"}} | changes)
    )


def body(**changes: Any) -> dict[str, Any]:
    clear = changes.pop("clear", False)
    return bodies.contact(profile(**changes), types=TYPES, clear_nulls=clear)


def test_identifiers_have_the_platforms_names() -> None:
    """The uuid is its external id, the phone number its phone."""
    found = body(identifiers={"uuid": "u", "email": "a@example.com", "phone_number": "+4930123456"}, attributes={})
    assert found == {"external_id": "u", "email": "a@example.com", "phone": "+4930123456"}


def test_times_become_whole_unix_seconds() -> None:
    """Of standard attributes, of custom dates, and of names ending in _at whose type nobody knows."""
    found = body(
        attributes={"signed_up_at": "2026-01-31T10:20:30.900Z", "last_seen_at": "2026-01-31T13:20:30+03:00"},
        custom_attributes={"renewal": "2026-01-31T00:00:00Z", "won_at": "2026-01-31T00:00:00Z", "tier": "2026-01-31"},
    )
    assert (found["signed_up_at"], found["last_seen_at"]) == (1_769_854_830, 1_769_854_830)
    assert found["custom_attributes"] == {"renewal": 1_769_817_600, "won_at": 1_769_817_600, "tier": "2026-01-31"}


def test_a_text_that_looks_like_a_time_stays_text_where_text_is_wanted() -> None:
    """The platform's own type decides."""
    assert (
        body(custom_attributes={"tier": "2026-01-31T00:00:00Z"})["custom_attributes"]["tier"] == "2026-01-31T00:00:00Z"
    )


def test_a_number_for_a_text_becomes_text_and_a_list_is_joined() -> None:
    """The platform takes neither a number there nor a list anywhere."""
    assert body(custom_attributes={"tier": 7, "tags": ["a", "b"]})["custom_attributes"] == {"tier": "7", "tags": "a, b"}


def test_what_is_empty_is_left_out_unless_it_is_to_be_emptied() -> None:
    """And identifiers never are."""
    values = {"attributes": {"name": None, "email": None}, "custom_attributes": {"tier": None}}
    assert body(**values) == {"email": "a@example.com"}
    assert body(**values, clear=True) == {"name": None, "email": "a@example.com", "custom_attributes": {"tier": None}}


def test_a_cleared_record_loses_what_was_mapped_and_nothing_else() -> None:
    """Its identifiers are not sent."""
    found = body(action=ProfileAction.CLEAR, attributes={"name": None, "email": None}, custom_attributes={"tier": None})
    assert found == {"name": None, "custom_attributes": {"tier": None}}


def test_a_new_contact_is_a_user_and_has_nothing_to_empty() -> None:
    """A null in a creation would be refused, or be nothing."""
    made = bodies.creation({"email": "a@example.com", "name": None, "custom_attributes": {"tier": None}})
    assert made == {"role": "user", "email": "a@example.com"}
    assert bodies.creation({"email": "a@example.com", "role": "lead"})["role"] == "lead"


HELD = {
    "email": "a@example.com", "name": "A", "avatar": {"image_url": "https://x/a.png"}, "phone": None,
    "unsubscribed_from_emails": False, "custom_attributes": {"tier": "Gold", "size": 3},
}  # fmt: skip


@pytest.mark.parametrize(
    ("mine", "differs"),
    [
        ({"email": "A@Example.com", "name": "A"}, {}),
        ({"avatar": "https://x/a.png", "phone": None}, {}),
        ({"name": "B"}, {"name": "B"}),
        ({"name": None}, {"name": None}),
        ({"unsubscribed_from_emails": 0}, {"unsubscribed_from_emails": 0}),
        ({"custom_attributes": {"tier": "Gold", "size": 3.0}}, {}),
        ({"custom_attributes": {"tier": "Gold", "size": 4}}, {"custom_attributes": {"size": 4}}),
        ({"custom_attributes": {"tier": None, "gone": None}}, {"custom_attributes": {"tier": None}}),
        ({"email": "a@example.com", "email_verified": True}, {"email": "a@example.com", "email_verified": True}),
    ],
)
def test_only_what_differs_is_written(mine: dict[str, Any], differs: dict[str, Any]) -> None:
    """The platform keeps addresses in lower case, and avatars as objects."""
    assert bodies.differing(mine, HELD) == differs


def test_an_event_has_whole_seconds_and_flat_metadata() -> None:
    """The second is part of what the platform knows it again by."""
    at = datetime(2026, 1, 31, 10, 20, 30, 999_000, tzinfo=UTC)
    one = Event(
        key="k", name="won", at=at, params={"a": 1, "close_date": "2026-01-31T00:00:00Z"}, custom_params={"b": None}
    )
    assert bodies.event(one, "c1") == {
        "event_name": "won", "created_at": 1_769_854_830, "id": "c1",
        "metadata": {"a": 1, "close_date": 1_769_817_600},
    }  # fmt: skip


def test_a_search_holds_two_groups_of_fifteen_at_most() -> None:
    """Either one group, or a group of groups."""
    filters = [("email", f"{number}@example.com") for number in range(30)]
    one, two = bodies.search(filters[:15]), bodies.search(filters)
    assert (one["query"]["operator"], len(one["query"]["value"])) == ("OR", 15)
    assert [len(group["value"]) for group in two["query"]["value"]] == [15, 15]


def test_a_phone_number_is_searched_for_only_where_there_is_nothing_else() -> None:
    """It may belong to many."""
    both = profile(identifiers={"email": "a@example.com", "phone_number": "+4930123456"})
    assert bodies.filters_of(both, by_id=True) == [("email", "a@example.com")]
    alone = profile(identifiers={"phone_number": "+4930123456"})
    assert bodies.filters_of(alone, by_id=True) == [("phone", "+4930123456")]


def test_who_was_known_otherwise_is_searched_for_by_both() -> None:
    """And by the platform's own id alone, where it is known."""
    moved = profile(former_identifiers={"email": "old@example.com"})
    assert bodies.filters_of(moved, by_id=True) == [("email", "a@example.com"), ("email", "old@example.com")]
    assert bodies.filters_of(profile(platform_id="c1"), by_id=True) == [("id", "c1")]


def test_batches_hold_a_hundred_records_and_no_body() -> None:
    """A smaller number can be asked for."""
    many = [profile(record_id=str(number)) for number in range(250)]
    assert [len(batch.records) for batch in bodies.build(many, skip_hook=False)] == [100, 100, 50]
    assert [len(batch.records) for batch in bodies.build(many[:5], skip_hook=False, max_records=2)] == [2, 2, 1]


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"identifiers": {}}, "no_identifier"),
        ({"identifiers": {"email": " "}}, "invalid_identifier"),
        ({"identifiers": {"cookie": "x"}}, "unknown_identifier"),
        ({"custom_identifiers": {"crm": "x"}}, "unknown_identifier"),
        ({"attributes": {"favourite": "x"}}, "unknown_attribute"),
        ({"attributes": {"name": 3}}, "invalid_name"),
        ({"attributes": {"signed_up_at": "yesterday"}}, "invalid_signed_up_at"),
        ({"attributes": {"unsubscribed_from_emails": "true"}}, "invalid_unsubscribed_from_emails"),
        ({"custom_attributes": {"tier": {"a": 1}}}, "invalid_value"),
        ({"custom_attributes": {"tier": float("nan")}}, "invalid_value"),
        ({"events": (Event(key="k", name="", at=datetime.now(UTC)),)}, "invalid_event_name"),
        ({"events": (Event(key="k", name="won", at=datetime(2026, 1, 1)),)}, "invalid_event_time"),  # noqa: DTZ001
        (
            {"events": (Event(key="k", name="won", at=datetime.now(UTC), params={str(n): n for n in range(11)}),)},
            "too_many_parameters",
        ),
    ],
)
def test_what_the_platform_would_refuse_or_lose_is_not_sent(changes: dict[str, Any], cause: str) -> None:
    """The cause says why; the message holds no value."""
    receipt = rules.check(profile(**changes), clear_nulls=False)
    assert receipt is not None
    assert (receipt.outcome, receipt.cause) == (Outcome.REJECTED, cause)
    assert "yesterday" not in receipt.message


def test_a_record_that_says_nothing_is_skipped_unless_that_is_to_be_said() -> None:
    """Where nulls are cleared, nothing is something."""
    empty = profile(attributes={"name": None})
    receipt = rules.check(empty, clear_nulls=False)
    assert receipt is not None
    assert (receipt.outcome, receipt.cause) == (Outcome.SKIPPED, "nothing_to_send")
    assert rules.check(empty, clear_nulls=True) is None
    assert rules.check(profile(attributes={}, action=ProfileAction.DELETE), clear_nulls=False) is None

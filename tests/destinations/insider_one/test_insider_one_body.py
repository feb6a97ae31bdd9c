"""The bodies that we build keep the platform's schema and limits."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.destinations.insider_one.body import LIMITS, build, check
from include.records import Event, Outcome, Profile

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SCHEMA = json.loads((Path(__file__).parents[2] / "contracts" / "insider_one_upsert.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

text = st.text(max_size=12) | st.sampled_from(["null", "0", "Gold", "DE", "de_DE", "1993-03-12T00:00:00Z", "ü\n\"'"])
scalar = text | st.integers() | st.floats() | st.booleans()
value = scalar | st.none() | st.lists(scalar, max_size=3) | st.lists(st.none(), max_size=2)
names = st.sampled_from(["tier", "c_tier", "Tier", "a1", "", "score_2"]) | st.text(max_size=4)
standard = st.sampled_from(
    [
        "name", "surname", "age", "birthday", "country", "language", "email_optin", "static_segment_id", "email",
        "phone_number", "uuid", "gdpr_optin", "nonsense",
    ]
)  # fmt: skip
params = st.sampled_from(
    ["currency", "quantity", "unit_sale_price", "event_group_id", "taxonomy", "shipping_cost", "x"]
)
events = st.builds(
    Event,
    key=st.just("k"),
    name=st.sampled_from(["purchase", "cart_page_view", "stage_changed", "homepageView", "a.b-c_1"]),
    at=st.timedeltas(timedelta(0), timedelta(days=95)).map(
        lambda ago: (NOW - ago).astimezone(timezone(timedelta(hours=3)))
    ),
    params=st.dictionaries(params, value, max_size=5),
    custom_params=st.dictionaries(names, value, max_size=2),
)
profiles = st.builds(
    Profile,
    record_id=st.just("0035g00000ABCDEAA4"),
    identifiers=st.dictionaries(
        st.sampled_from(["email", "phone_number", "uuid"]),
        text | st.sampled_from(["ada@example.com", "+4930123456"]) | st.integers(),
        max_size=3,
    ),
    custom_identifiers=st.dictionaries(names, text, max_size=2),
    attributes=st.dictionaries(standard, value, max_size=4),
    custom_attributes=st.dictionaries(names, value, max_size=3),
    events=st.lists(events, max_size=2).map(tuple),
)
good = st.builds(
    Profile,
    record_id=st.just("0035g00000ABCDEAA4"),
    identifiers=st.just({"uuid": "0035g00000ABCDEAA4", "email": "ada@example.com"}),
    attributes=st.fixed_dictionaries({"name": text, "country": st.just("DE"), "city": st.none() | text}),
    custom_attributes=st.dictionaries(
        st.from_regex(r"(?!c_)[a-z0-9][a-z0-9_]{0,8}", fullmatch=True),
        st.text(max_size=9)
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.none(),
        max_size=4,
    ),
    events=st.lists(st.builds(Event, key=st.just("k"), name=st.just("won"), at=st.just(NOW)), max_size=1).map(tuple),
)


def person(number: int, **parts: Any) -> Profile:
    whole: dict[str, Any] = {"identifiers": {"uuid": f"u{number}"}, "attributes": {"name": "Ada"}}
    return Profile(record_id=f"003{number:012d}", **(whole | parts))


@settings(max_examples=200, deadline=None)
@given(st.lists(profiles | good, min_size=1, max_size=5), st.booleans())
def test_every_body_we_build_passes_the_schema(some: list[Profile], skip_hook: bool) -> None:
    """Whatever a source holds: what `check` lets through is what the platform documents."""
    checked = [profile for profile in some if check(profile, now=NOW) is None]
    for batch in build(checked, skip_hook=skip_hook):
        VALIDATOR.validate(json.loads(batch.body))
        assert json.loads(batch.body)["skip_hook"] is skip_hook
        assert not batch.refused


@settings(max_examples=100, deadline=None)
@given(good)
def test_a_good_profile_passes_the_check(profile: Profile) -> None:
    """The check must not be so strict that nothing is left for the schema to judge."""
    assert check(profile, now=NOW) is None


def test_a_body_is_exactly_what_the_platform_documents() -> None:
    """The whole request, so that nothing creeps in."""
    profile = person(
        1,
        custom_identifiers={"salesforce_contact_id": "003"},
        attributes={"name": "Ada", "city": None, "email_optin": False, "age": 0},
        custom_attributes={"likes": ["a"], "gone": None},
        events=(
            Event(
                key="k",
                name="won",
                at=datetime(2026, 1, 31, 13, 20, 30, tzinfo=timezone(timedelta(hours=3))),
                params={"currency": "USD", "url": None},
                custom_params={"amount": 1200.5},
            ),
        ),
    )
    (batch,) = build([profile], skip_hook=False)
    assert orjson.loads(batch.body) == {
        "skip_hook": False,
        "users": [
            {
                "identifiers": {"uuid": "u1", "custom": {"salesforce_contact_id": "003"}},
                "attributes": {"name": "Ada", "email_optin": False, "age": 0, "custom": {"likes": ["a"]}},
                "not_append": True,
                "events": [
                    {
                        "event_name": "won",
                        "timestamp": "2026-01-31T10:20:30Z",
                        "event_params": {"currency": "USD", "custom": {"amount": 1200.5}},
                    }
                ],
            }
        ],
    }
    assert batch.records == (profile,)
    assert batch.holds_events


@pytest.mark.parametrize(
    ("count", "most", "sizes"),
    [(0, None, []), (1, None, [1]), (1_000, None, [1_000]), (1_001, None, [1_000, 1]), (25, 10, [10, 10, 5])],
)
def test_batches_keep_the_limit_by_count(count: int, most: int | None, sizes: list[int]) -> None:
    """1,000 users, or fewer if asked for."""
    batches = list(build((person(n) for n in range(count)), skip_hook=True, max_records=most))
    assert [len(batch.records) for batch in batches] == sizes


def test_a_larger_wish_than_the_limit_is_cut_to_it() -> None:
    """A push cannot ask for more than the platform takes."""
    batches = list(build((person(n) for n in range(1_001)), skip_hook=True, max_records=5_000))
    assert [len(batch.records) for batch in batches] == [1_000, 1]


def test_batches_keep_the_limit_by_bytes_of_utf8() -> None:
    """Sizes are those of the serialized body, not of the text: each ü counts two."""
    some = [person(n, attributes={"name": "ü" * 600_000}) for n in range(9)]
    batches = list(build(some, skip_hook=True))
    assert [len(batch.records) for batch in batches] == [4, 4, 1]
    assert all(len(batch.body) <= LIMITS.max_bytes for batch in batches)
    assert [record for batch in batches for record in batch.records] == some


def test_a_batch_may_fill_the_limit_to_the_last_byte() -> None:
    """The arithmetic of the envelope is exact: at the limit one batch, a byte more and two."""
    (small,) = build([person(1), person(2)], skip_hook=False)
    room = LIMITS.max_bytes - len(small.body)
    for extra, count in ((0, 1), (1, 2)):
        filled = person(2, attributes={"name": "Ada" + "x" * (room + extra)})
        assert len(list(build([person(1), filled], skip_hook=False))) == count


def test_a_record_larger_than_a_request_is_refused_and_the_others_go() -> None:
    """It becomes a receipt, not an exception."""
    giant = person(2, attributes={"name": "x" * LIMITS.max_bytes})
    (batch,) = build([person(1), giant, person(3)], skip_hook=True)
    assert [record.record_id for record in batch.records] == [person(1).record_id, person(3).record_id]
    assert [(one.record_id, one.outcome, one.cause) for one in batch.refused] == [
        (giant.record_id, Outcome.REJECTED, "too_large")
    ]


def test_a_lone_giant_still_gets_its_receipt() -> None:
    """Otherwise the sums of a run would not hold."""
    (batch,) = build([person(1, attributes={"name": "x" * LIMITS.max_bytes})], skip_hook=True)
    assert batch.records == ()
    assert len(batch.refused) == 1

"""What is done to values on their way: each transform does one thing, or says that it cannot."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.activation.mapping import LEFT_OUT, compile_mapping, needs_salt
from include.activation.transforms import Unconvertible, compile_transforms
from include.config.push_mapping import Transform
from include.records import Receipt
from tests.activation.source import NOW, contact_id, definition
from tests.activation.test_mapping import cells

SALT = b"0123456789abcdef"


@pytest.mark.parametrize(
    ("names", "value", "expected"),
    [
        (["trim", "lower"], "  Ada@Example.COM ", "ada@example.com"),
        (["upper"], "straße", "STRASSE"),
        (["trim"], "   ", None),
        (["list"], "Red; Blue;;Green ", ["Red", "Blue", "Green"]),
        (["list", "lower"], "Red;Blue", ["red", "blue"]),
        (["list"], " ; ", None),
        (["date"], datetime(2026, 1, 31, 23, 30, tzinfo=UTC), "2026-01-31"),
        (["date"], date(2026, 1, 31), "2026-01-31"),
        (["date"], "2026-01-31T01:00:00.000+0200", "2026-01-30"),
        (["datetime"], "2026-01-31T10:00:00.000+0000", "2026-01-31T10:00:00Z"),
        (["datetime"], date(2026, 1, 31), "2026-01-31T00:00:00Z"),
        (["boolean"], "Yes", True),
        (["boolean"], Decimal("0"), False),
        (["boolean"], " ", None),
        (["number"], " 1200.50 ", 1200.5),
        (["number"], True, 1),
        (["number"], "12345678901234567", 12345678901234567),
        (["number"], "", None),
        (["hash"], None, None),
        (["hash"], "  ", None),
    ],
)
def test_a_transform_does_what_its_name_says(names: list[str], value: Any, expected: Any) -> None:
    """In order; what is empty stays empty."""
    found = compile_transforms(names, salt=SALT)(value)

    assert (found, type(found)) == (expected, type(expected))


def test_a_hash_is_sha_256_keyed_with_the_org_s_salt() -> None:
    """Hexadecimal; another org's salt gives another hash."""
    hashed = compile_transforms(["trim", "lower", "hash"], salt=SALT)(" Ada@Example.com")

    assert hashed == hmac.new(SALT, b"ada@example.com", hashlib.sha256).hexdigest()
    assert hashed != compile_transforms(["trim", "lower", "hash"], salt=b"other")(" Ada@Example.com")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", "1e999999999"),
        ("number", "twelve"), ("number", "1_000"), ("number", "NaN"), ("number", "1,5"), ("boolean", "perhaps"),
        ("date", "31.01.2026"), ("datetime", "soon"), ("boolean", ["a"]),
    ],
)  # fmt: skip
def test_what_cannot_be_converted_is_said_and_never_shown(name: str, value: Any) -> None:
    """The message holds no value."""
    with pytest.raises(Unconvertible) as caught:
        compile_transforms([name], salt=b"")(value)

    assert str(value) not in str(caught.value)


@given(st.lists(st.sampled_from(get_args(Transform)[:-1]), max_size=4), st.booleans(), cells)
def test_transforms_are_total(names: list[str], hashes: bool, value: Any) -> None:
    """Whatever a field holds: JSON, or `Unconvertible`."""
    convert = compile_transforms([*names, *(["hash"] if hashes else [])], salt=SALT)
    try:
        orjson.dumps(convert(value))
    except Unconvertible:
        return


def test_a_value_that_cannot_be_converted_stays_out_of_the_payload() -> None:
    """Sent as empty, it would wipe what the platform holds; the ledger says that something was left out."""
    push = definition(
        event=None,
        attributes={"name": "FirstName", "age": {"field": "Score__c", "transform": "number"}},
        custom_attributes={},
    )
    row = {"Id": contact_id(1), "Email": None, "FirstName": "Ada", "Score__c": "about 40"}

    found = compile_mapping(push).profile(row, record_id=contact_id(1), stamp=NOW, run="r", now=NOW)

    assert not isinstance(found, Receipt)
    profile, note = found
    assert (profile.attributes, note) == ({"name": "Ada"}, LEFT_OUT)


def test_an_identifier_is_judged_before_it_is_hashed() -> None:
    """A hash of something that is no address would look like anybody's."""
    push = definition(
        event=None, identifiers={"custom": {"mail": {"field": "Email", "transform": ["lower", "hash"]}}, "uuid": "Id"}
    )
    assert needs_salt(push)
    mapper = compile_mapping(push, salt=SALT)

    standard, custom = mapper.identifiers_of({"Id": "003", "Email": "n/a"}, "003")
    assert custom == {}
    standard, custom = mapper.identifiers_of({"Id": "003", "Email": "Ada@x.org"}, "003")
    assert custom == {"mail": hmac.new(SALT, b"ada@x.org", hashlib.sha256).hexdigest()}
    assert standard == {"uuid": "003"}

"""Ids as Salesforce makes them."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.sandbox.org import ids


@pytest.mark.parametrize(
    ("id15", "letters"),
    [("001RM000003oLnn", "YAE"), ("0015500001QdQWa", "AAN"), ("750R0000000zlh9", "IAA"), ("012000000000000", "AAA")],
)
def test_the_checksum_is_that_of_real_ids(id15: str, letters: str) -> None:
    """The three letters of known Ids come out."""
    assert ids.checksum(id15) == letters
    assert ids.canonical(id15) == ids.canonical(id15 + letters) == id15 + letters


@given(st.integers(0, ids.NUMBERS - 1))
def test_a_number_goes_into_an_id_and_back(number: int) -> None:
    """number_of undoes make_id, for both lengths."""
    made = ids.make_id("003", number)
    assert ids.number_of(made) == ids.number_of(made[:15]) == number


@given(st.integers(0, ids.NUMBERS - 2))
def test_ids_are_ordered_like_their_numbers(number: int) -> None:
    """A larger number gives a larger Id."""
    assert ids.make_id("003", number) < ids.make_id("003", number + 1)


def test_the_store_makes_the_same_ids() -> None:
    """The SQL expression and the function agree."""
    numbers = [0, 1, 61, 62, 3843, 3844, 999_999, 123_456_789, ids.NUMBERS - 1]
    made = duckdb.sql(f"SELECT {ids.id_sql('00Q', 'n')} FROM (SELECT unnest({numbers}::BIGINT[]) AS n)").fetchall()
    assert [row[0] for row in made] == [ids.make_id("00Q", number) for number in numbers]


@pytest.mark.parametrize("text", ["", "003", "003RM000003oLnnXXX", "003RM000003oLn!", "0035g0000200001AAB"])
def test_what_is_no_id_is_recognised(text: str) -> None:
    """Wrong lengths, characters and checksums have no canonical form."""
    assert ids.canonical(text) is None

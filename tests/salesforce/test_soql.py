"""Values and names get into SOQL through one place, and mean there what they meant here."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.records import Window
from include.salesforce.soql import condition, count_before, in_window, name, quoted, quoted_list, select_all

LOW = datetime(2026, 1, 31, 10, 20, 30, tzinfo=UTC)
HIGH = datetime(2026, 1, 31, 11, 20, 30, tzinfo=UTC)
EARLIEST = datetime(1700, 1, 1, tzinfo=UTC).replace(tzinfo=None)
LATEST = datetime(3999, 12, 31, tzinfo=UTC).replace(tzinfo=None)


def _unescaped(literal: str) -> str:
    """Read a SOQL string literal as the org does."""
    assert literal[0] == literal[-1] == "'"
    known = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
    inner = literal[1:-1]
    assert not re.search(r"(?<!\\)(?:\\\\)*'", inner), "an unescaped quote would end the literal early"
    return re.sub(r"\\(.)", lambda match: known[match[1]], inner, flags=re.DOTALL)


@given(st.text())
def test_any_text_comes_back_from_its_literal(text: str) -> None:
    """Quoting round-trips for every string."""
    assert _unescaped(quoted(text)) == text


@given(st.datetimes(min_value=EARLIEST, max_value=LATEST), st.integers(-14, 14))
def test_any_whole_second_comes_back_from_its_literal(naive: datetime, hours: int) -> None:
    """A time in any zone is written as the same moment in UTC."""
    moment = naive.replace(microsecond=0, tzinfo=timezone(timedelta(hours=hours)))
    assert datetime.fromisoformat(quoted(moment)) == moment
    assert quoted(moment).endswith("Z")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18))
def test_any_number_comes_back_from_its_literal(number: Decimal) -> None:
    """A number is written in full, never in scientific form."""
    assert "E" not in quoted(number)
    assert Decimal(quoted(number)) == number


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (None, "null"),
        (True, "TRUE"),
        (False, "FALSE"),
        (7, "7"),
        (1e21, "1000000000000000000000"),
        (date(2026, 1, 31), "2026-01-31"),
        (LOW, "2026-01-31T10:20:30Z"),
        ("O'Brien", "'O\\'Brien'"),
    ],
)
def test_each_kind_of_value_has_its_literal(value: object, literal: str) -> None:
    """Salesforce's own forms."""
    assert quoted(value) == literal  # type: ignore[arg-type]


def test_a_list_is_quoted_value_by_value() -> None:
    """As IN wants it."""
    assert quoted_list(["a", "b'c"]) == "('a','b\\'c')"


@pytest.mark.parametrize("value", [LATEST, datetime(2026, 1, 1, microsecond=1, tzinfo=UTC), float("nan"), float("inf")])
def test_a_value_without_a_clear_meaning_is_refused(value: object) -> None:
    """No zone, a fraction of a second, not a number."""
    with pytest.raises(ValueError):
        quoted(value)  # type: ignore[arg-type]


def test_an_empty_list_is_refused() -> None:
    """The org would refuse it later, with a worse message."""
    with pytest.raises(ValueError):
        quoted_list([])


@pytest.mark.parametrize("text", ["", "Id FROM User", "Name'", "Na me", "1st", "A..B", "Id,Name", "Id\n"])
def test_what_is_no_api_name_is_refused(text: str) -> None:
    """A name cannot change the meaning of a query."""
    with pytest.raises(ValueError):
        name(text)


def _in_window(object: str, fields: list[str], window: Window, *also: str) -> str:
    return select_all(object, fields, where=[*in_window("SystemModstamp", window), *also])


def test_a_window_is_half_open() -> None:
    """Low is in, high is out, so that windows tile."""
    assert _in_window("Contact", ["Id", "Account.Name"], Window(low=LOW, high=HIGH)) == (
        "SELECT Id,Account.Name FROM Contact "
        "WHERE SystemModstamp >= 2026-01-31T10:20:30Z AND SystemModstamp < 2026-01-31T11:20:30Z"
    )


def test_a_window_without_a_low_end_reads_from_the_beginning() -> None:
    """With further conditions behind it."""
    query = _in_window("Lead", ["Id"], Window(low=None, high=HIGH), condition("Id", ">=", "00Q1"))
    assert query == "SELECT Id FROM Lead WHERE SystemModstamp < 2026-01-31T11:20:30Z AND Id >= '00Q1'"


def test_an_unknown_comparison_is_refused() -> None:
    """Only SOQL's own."""
    with pytest.raises(ValueError):
        condition("Id", "= '' OR Id >", "x")


def test_records_are_counted_up_to_a_time_of_creation() -> None:
    """For the certificate of an extract."""
    assert count_before("Lead", LOW) == "SELECT COUNT() FROM Lead WHERE CreatedDate < 2026-01-31T10:20:30Z"

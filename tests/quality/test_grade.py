"""Grades and verdicts are plain arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.quality.grade import grade_all, grade_object, grade_of, verdict_of


def test_an_object_without_records_has_no_grade():
    """Nothing to judge is neither good nor bad."""
    assert grade_of(0, 0) is None


def test_more_records_with_issue_than_records_is_a_bug():
    """A grade below zero is never shown."""
    with pytest.raises(ValueError):
        grade_of(1, 2)


def test_a_check_fails_when_more_than_the_allowed_share_fails():
    """The allowed share itself passes; on an empty object everything passes."""
    assert [verdict_of(failing, 10, 0.2) for failing in (0, 2, 3)] == ["passed", "passed", "failed"]
    assert verdict_of(0, 0, 0.0) == "passed"


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)).map(sorted), min_size=1, max_size=5))
def test_the_grade_over_all_objects_weighs_records_not_objects(pairs):
    """It lies between the worst and the best object, and equals the share of all records without any issue."""
    objects = [
        grade_object(f"O{n}", records=high, records_with_issue=low, lost=low / 2) for n, (low, high) in enumerate(pairs)
    ]
    whole, grades = grade_all(objects), [each.grade for each in objects if each.grade is not None]
    assert whole.records - whole.records_with_issue == sum(high - low for low, high in pairs)
    if grades:
        assert min(grades) - 1e-9 <= whole.grade <= max(grades) + 1e-9
        assert whole.grade - 1e-9 <= whole.weighted <= 1
    else:
        assert whole.grade is None

"""Expectations of Great Expectations, judged by predicates, say what Great Expectations itself says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from include.config.expectation_names import KNOWN
from include.quality.validate import export_snapshot, validate_suites
from include.warehouse.engine import transaction
from include.warehouse.health.assessments import expectation_documents, one_issue
from include.warehouse.health.findings import failing_ids

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TEXTS = st.sampled_from([None, "", "a", "ab", "A%", "it's", "Ünïcode", "a_b", "100 %", "  ", "佐藤"])
NUMBERS = st.sampled_from([None, -1, 0, 1, 2.5, 10, 100])
RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "FirstName": TEXTS,
            "LastName": TEXTS,
            "Birthdate": st.sampled_from([None, "1990-01-01", "2026-11-20", "2030-05-05"]),
        }
    ),
    max_size=12,
)

FOLDED = {
    "filled": {"type": "expect_column_values_to_not_be_null", "column": "FirstName"},
    "empty": {"type": "expect_column_values_to_be_null", "column": "FirstName"},
    "matches": {"type": "expect_column_values_to_match_regex", "column": "FirstName", "regex": "^[a-z']+$"},
    "avoids": {"type": "expect_column_values_to_not_match_regex", "column": "FirstName", "regex": "%|_"},
    "like": {"type": "expect_column_values_to_match_like_pattern", "column": "FirstName", "like_pattern": "a%"},
    "unlike": {"type": "expect_column_values_to_not_match_like_pattern", "column": "FirstName", "like_pattern": "_"},
    "one_of": {"type": "expect_column_values_to_be_in_set", "column": "FirstName", "value_set": ["a", "it's", ""]},
    "none_of": {"type": "expect_column_values_to_not_be_in_set", "column": "FirstName", "value_set": ["a", "佐藤"]},
    "born": {
        "type": "expect_column_values_to_be_between",
        "column": "Birthdate",
        "min_value": "1990-01-01",
        "max_value": "2026-11-20",
        "strict_min": True,
    },
    "long": {"type": "expect_column_value_lengths_to_be_between", "column": "LastName", "min_value": 2, "max_value": 4},
    "longer": {
        "type": "expect_column_value_lengths_to_be_between",
        "column": "LastName",
        "max_value": 2,
        "strict_max": True,
    },
    "two": {"type": "expect_column_value_lengths_to_equal", "column": "LastName", "value": 2},
    "unique": {"type": "expect_column_values_to_be_unique", "column": "LastName"},
    "greater": {
        "type": "expect_column_pair_values_a_to_be_greater_than_b",
        "column_A": "FirstName",
        "column_B": "LastName",
    },
    "no_less": {
        "type": "expect_column_pair_values_a_to_be_greater_than_b",
        "column_A": "FirstName",
        "column_B": "LastName",
        "or_equal": True,
    },
    "same": {"type": "expect_column_pair_values_to_be_equal", "column_A": "FirstName", "column_B": "LastName"},
}


# An example takes Great Expectations two seconds, so nothing is shrunk: twelve records can be read as they are.
@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(records=RECORDS)
def test_what_is_made_from_counts_is_what_great_expectations_says(shared_org, make_check, records):
    """On any records, each result that we write down is equal to the one that Great Expectations computes by itself."""
    org = shared_org
    org.clear("Contact")
    org.put("Contact", *({"Id": f"c{number}", **record} for number, record in enumerate(records)))
    checks = tuple(make_check(name, expect=expect) for name, expect in FOLDED.items())
    found = org.assess(*checks)
    suite, validation = expectation_documents(org.engine, found.assessment_id, "Contact")

    with transaction(org.engine) as connection:
        snapshot = export_snapshot(connection)
        theirs = validate_suites(org.engine, snapshot, {"Contact": checks}, schema="salesforce_acme", now=NOW)[
            "Contact"
        ]

    ours = {each["expectation_config"]["meta"]["check"]: each for each in validation["results"]}
    for each in theirs.validation["results"]:
        name = each["expectation_config"]["meta"]["check"]
        if records:
            assert (name, ours[name]["success"], ours[name]["result"]) == (name, each["success"], each["result"])
        else:
            assert ours[name]["success"]
    assert _said_of(suite) == _said_of(theirs.suite)
    assert validation["statistics"] == theirs.validation["statistics"]


def _said_of(suite):
    said = [(each["type"], sorted(each["kwargs"].items(), key=str)) for each in suite["expectations"]]
    return sorted(said, key=str)


def test_the_list_of_expectations_is_great_expectations_own():
    """A name that is refused does not exist, and one that exists is not refused."""
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    registered = list_registered_expectation_implementations()  # one of ours is among them once it was used
    assert {name for name in registered if name.startswith("expect_")} == KNOWN


def test_an_expectation_that_no_predicate_can_say_is_judged_by_great_expectations(make_org, make_check):
    """Its count is theirs, its Ids are those of bad_when, and both must be as many."""
    org = make_org()
    org.put("Contact", {"Id": "1", "FirstName": "a", "LastName": "a"}, {"Id": "2", "FirstName": "a", "LastName": "b"})
    unique = {
        "type": "expect_select_column_values_to_be_unique_within_record",
        "column_list": ["FirstName", "LastName"],
    }
    found = org.assess(make_check("same_names", expect=unique, bad_when="{row.FirstName} = {row.LastName}"))
    (issue,) = found.issues
    assert (issue.failing, issue.verdict) == (1, "failed")
    assert failing_ids(org.engine, "acme", "same_names", found.assessment_id) == ("1",)


def test_a_check_of_the_whole_object_fails_without_records(make_org, make_check):
    """A mean, a count of rows: the issue says what was seen, no record fails, the grade stays."""
    org = make_org()
    org.put("Opportunity", {"Id": "1", "Amount": 10}, {"Id": "2", "Amount": 20})
    low = {"type": "expect_column_mean_to_be_between", "column": "Amount", "min_value": 100}
    many = {"type": "expect_table_row_count_to_be_between", "min_value": 1}
    found = org.assess(
        make_check("low_mean", object="Opportunity", expect=low),
        make_check("rows", object="Opportunity", expect=many),
    )
    verdicts = {issue.check_id: (issue.verdict, issue.failing, issue.reason) for issue in found.issues}
    assert verdicts == {"low_mean": ("failed", 0, "seen: 15"), "rows": ("passed", 0, "seen: 2")}
    assert found.grade == 1.0


def test_what_is_seen_of_a_whole_object_is_no_value_of_one_record(make_org, make_check):
    """Great Expectations answers with the greatest or the most common value itself: neither document nor issue does."""
    org = make_org()
    for place, amount in enumerate((1234567, 4321765, 7654321)):
        org.put("Opportunity", {"Id": str(place), "Amount": amount})
        org.put("Contact", {"Id": str(place), "LastName": "Zwitscher"})
    asked = {
        "max": {"type": "expect_column_max_to_be_between", "column": "Amount", "max_value": 1},
        "min": {"type": "expect_column_min_to_be_between", "column": "Amount", "max_value": 1},
        "median": {"type": "expect_column_median_to_be_between", "column": "Amount", "max_value": 1},
        "distinct": {"type": "expect_column_distinct_values_to_be_in_set", "column": "LastName", "value_set": ["a"]},
        "common": {"type": "expect_column_most_common_value_to_be_in_set", "column": "LastName", "value_set": ["a"]},
    }
    objects = {"distinct": "Contact", "common": "Contact"}
    found = org.assess(
        *(make_check(name, object=objects.get(name, "Opportunity"), expect=each) for name, each in asked.items())
    )
    assert {issue.check_id: issue.verdict for issue in found.issues} == dict.fromkeys(asked, "failed")
    said = str(found.issues).lower()
    for object in ("Opportunity", "Contact"):
        said += str(expectation_documents(org.engine, found.assessment_id, object)).lower()
    assert [each for each in ("1234567", "4321765", "7654321", "zwitscher") if each in said] == []


def test_one_that_cannot_be_evaluated_is_not_assessed_and_stops_no_other(make_org, make_check):
    """Impossible arguments are the check's own fault: it says so, the others are judged."""
    org = make_org()
    org.put("Contact", {"Id": "1", "LastName": "x"})
    wrong = {"type": "expect_column_mean_to_be_between", "column": "LastName", "min_value": 1}
    unknown = {"type": "expect_column_max_to_be_between", "column": "LastName", "floor": 1}
    found = org.assess(make_check("wrong", expect=wrong), make_check("unknown", expect=unknown), make_check())
    assert {issue.check_id: issue.verdict for issue in found.issues} == {
        "no_email": "failed",
        "wrong": "not_assessed",
        "unknown": "not_assessed",
    }
    assert "Great Expectations" in one_issue(org.engine, found.assessment_id, "wrong").reason


@pytest.mark.parametrize(
    ("expect", "keys", "says"),
    [
        ({"type": "expect_column_values_to_be_gold", "column": "X"}, {}, "did you mean"),
        ({"type": "expect_column_values_to_be_between", "column": "X"}, {}, "give min_value, max_value or both"),
        ({"type": "expect_column_values_to_not_be_null", "column": "X", "mostly": 0.9}, {}, "mostly"),
        ({"type": "expect_column_values_to_be_increasing", "column": "X"}, {}, "give bad_when as well"),
        ({"type": "expect_column_mean_to_be_between", "column": "X", "mostly": 1}, {}, "leave out mostly"),
        (
            {"type": "expect_table_row_count_to_equal", "value": 1},
            {"bad_when": "{row.X} IS NULL"},
            "judges no single records",
        ),
        ({"type": "expect_column_values_to_be_unique", "column": "X"}, {"bad_when": "{row.X} = 1"}, "not both"),
    ],
)
def test_a_wrong_expectation_is_refused_with_what_to_write(make_check, expect, keys, says):
    """The error names what is wrong before anything runs."""
    with pytest.raises(ValidationError, match=says):
        make_check("wrong", expect=expect, **keys)

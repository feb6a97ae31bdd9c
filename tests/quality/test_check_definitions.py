"""A wrong check is one clear message, and hides no other."""

from __future__ import annotations

import pytest

from include.config.loader import load_definitions

GOOD = """
checks:
  - {check: good, title: Good, why: because, category: Invalid, severity: info, object: Contact,
     expect: {type: expect_column_values_to_be_in_set, column: Tier__c, value_set: [Gold, "It's"]}}
"""

BETWEEN = "type: expect_column_values_to_be_between, column: Amount"


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ("bad_when: '{row.Email} = lower(Email)'", "check 'wrong': the word 'Email' may not stand in a predicate"),
        ("bad_when: '{row.Email} IS NULL; DROP TABLE x'", "check 'wrong': ';' may not stand in a predicate"),
        ("why: because", "say what is bad for check 'wrong': give expect, bad_when or duplicates"),
        (
            "{bad_when: '{row.Email} IS NULL', expect: {type: expect_column_values_to_not_be_null, column: Email}}",
            "give check 'wrong' either expect or bad_when",
        ),
        ("expect: {type: expect_table_to_sing, column: Email}", "expect_table_to_sing"),
        ("bad_when: '{row.Email} IS NULL', max_share: yes", "give a share between 0 and 1, such as 0.05"),
        ("bad_when: '{row.Email} IS NULL', max_share: .nan", "Input should be less than or equal to 1"),
        (f"expect: {{{BETWEEN}, min_value: 5, max_value: 1}}", "min_value 5 is greater than max_value 1"),
        (f"expect: {{{BETWEEN}, min_value: .nan}}", "nan is no number to compare with"),
        (f"expect: {{{BETWEEN}, min_value: {'9' * 400}}}", "a number of more than 308 digits"),
        (f"expect: {{{BETWEEN}, max_value: .inf}}", "inf is no number to compare with"),
        ("bad_when: \"{row.Email} = 'a\\0'\"", "a string holds the character NUL"),
    ],
)
def test_a_wrong_check_names_its_file_and_what_to_write_instead(definitions, says, message):
    """The file, the place in it and the reason are told; the checks of other files load."""
    rest = says[1:-1] if says.startswith("{") else says
    (definitions / "checks" / "good.yaml").write_text(GOOD)
    (definitions / "checks" / "wrong.yaml").write_text(
        "checks:\n  - {check: wrong, title: Wrong, category: Invalid, severity: info, object: Contact, "
        + (rest if rest.startswith("why") else f"why: because, {rest}")
        + "}\n"
    )
    loaded = load_definitions(definitions)
    assert set(loaded.checks) == {"good"}
    (error,) = loaded.errors
    assert (error.file, error.key.startswith("checks.0")) == ("checks/wrong.yaml", True)
    assert message in error.message


def test_an_expectation_becomes_the_predicate_of_its_bad_rows(definitions):
    """Text is quoted for SQL, and what the check needs follows from it."""
    (definitions / "checks" / "good.yaml").write_text(GOOD)
    check = load_definitions(definitions).checks["good"]
    assert check.expect.bad_when("Contact") == "{row.Tier__c} NOT IN ('Gold', 'It''s')"
    assert (dict(check.needs), check.clock) == ({"Contact": ("Tier__c",)}, False)


def test_a_very_small_or_large_number_is_written_out_in_the_predicate(definitions):
    """Python says 1e-07, which is no number of a predicate: the check was refused for a word `e`."""
    for number, written in (("0.0000001", "0.0000001"), ("1.0e+22", "10000000000000000000000"), ("-0.5", "-0.5")):
        (definitions / "checks" / "good.yaml").write_text(
            "checks:\n  - {check: good, title: Good, why: because, category: Invalid, severity: info, object: Contact,"
            f" expect: {{{BETWEEN}, min_value: {number}}}}}\n"
        )
        loaded = load_definitions(definitions)
        assert loaded.errors == ()
        assert loaded.checks["good"].expect.bad_when("Contact") == f"{{row.Amount}} < {written}"

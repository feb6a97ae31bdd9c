"""A wrong check is one clear message, and hides no other."""

from __future__ import annotations

import pytest

from include.config.loader import load_definitions

GOOD = """
checks:
  - {check: good, title: Good, why: because, category: Invalid, severity: info, object: Contact,
     expect: {type: expect_column_values_to_be_in_set, column: Tier__c, value_set: [Gold, "It's"]}}
"""


@pytest.mark.parametrize(
    ("says", "message"),
    [
        ("bad_when: '{row.Email} = lower(Email)'", "check 'wrong': the word 'Email' may not stand in a predicate"),
        ("bad_when: '{row.Email} IS NULL; DROP TABLE x'", "check 'wrong': ';' may not stand in a predicate"),
        ("why: because", "give check 'wrong' either expect or bad_when"),
        (
            "{bad_when: '{row.Email} IS NULL', expect: {type: expect_column_values_to_not_be_null, column: Email}}",
            "give check 'wrong' either expect or bad_when",
        ),
        ("expect: {type: expect_table_to_sing, column: Email}", "expect_table_to_sing"),
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

"""What the org says of a query that it can't take: the whole body."""

from __future__ import annotations

import pytest

from tests.sandbox.org.conftest import RunningOrg

COLUMN = (
    "No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append the "
    "'__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names."
)
RELATION = (
    "Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, "
    "be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the "
    "describe call for the appropriate names."
)
TYPE = (
    "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' "
    "after the entity name. Please reference your WSDL or the describe call for the appropriate names."
)
QUOTED = (
    "value of filter criterion for field 'SystemModstamp' must be of type dateTime and should not be enclosed in quotes"
)


@pytest.mark.parametrize(
    ("soql", "column", "code", "message"),
    [
        ("select count() from XYZZY", 21, "INVALID_TYPE", TYPE.format(name="XYZZY")),
        ("SELECT Foo FROM Contact", 8, "INVALID_FIELD", COLUMN.format(name="Foo", entity="Contact")),
        ("SELECT Account.Foo FROM Contact", 8, "INVALID_FIELD", COLUMN.format(name="Foo", entity="Account")),
        ("SELECT Nope.Id FROM Contact", 8, "INVALID_FIELD", RELATION.format(name="Nope")),
        ("SELECT Id FROM Contact WHERE SystemModstamp > '2020-01-01'", 47, "INVALID_FIELD", QUOTED),
        (
            "SELECT Id FROM Contact WHERE Description = 'x'", 30, "INVALID_FIELD",
            "field 'Description' can not be filtered in a query call",
        ),
        (
            "SELECT Id FROM Contact ORDER BY Description", 33, "INVALID_FIELD",
            "field 'Description' can not be sorted in a query call",
        ),
        ("SELECT Id FROM Contact WHERE Id = '003'", 35, "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: 003"),
        ("SELECT Id FRO Contact", 15, "MALFORMED_QUERY", "unexpected token: 'Contact'"),
        ("SELECT Id FROM", 15, "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Contact WHERE A = 1 AND B = 2 OR C = 3", 46, "MALFORMED_QUERY", "unexpected token: 'OR'"),
        (
            "SELECT Id FROM Contact WHERE LastName = 'x\\q'", 41, "MALFORMED_QUERY",
            "Illegal character sequence '\\q' in string literal",
        ),
        (
            "SELECT FIELDS(ALL) FROM Contact", 8, "MALFORMED_QUERY",
            "The SOQL FIELDS function must have a LIMIT of at most 200",
        ),
        ("SELECT Id FROM Contact LIMIT x", 30, "MALFORMED_QUERY", "unexpected token: 'x'"),
        (
            "SELECT COUNT() FROM Contact ORDER BY LastName", 38, "MALFORMED_QUERY",
            "Ordered field must be grouped or aggregated: LastName",
        ),
        (
            "SELECT Id FROM Account WHERE Id IN (SELECT Id FROM Contact)", 30, "MALFORMED_QUERY",
            "The types of 'Id' and of the inner select field 'Id' do not match",
        ),
        (
            "SELECT Id FROM Contact WHERE AccountId NOT IN (SELECT OwnerId FROM Lead)", 30, "MALFORMED_QUERY",
            "The types of 'AccountId' and of the inner select field 'OwnerId' do not match",
        ),
        ("DELETE FROM Contact", 1, "MALFORMED_QUERY", "unexpected token: 'DELETE'"),
    ],
)  # fmt: skip
def test_a_refusal_points_at_the_place(org: RunningOrg, soql: str, column: int, code: str, message: str) -> None:
    """Excerpt, caret, row and column, then the words."""
    caret = " " * (column - 1) + "^"
    expected = {"message": f"\n{soql}\n{caret}\nERROR at Row:1:Column:{column}\n{message}", "errorCode": code}
    assert org.refusal(soql) == expected


def test_a_second_row_is_counted(org: RunningOrg) -> None:
    """Row and column of a query over several lines."""
    assert (
        "\n       Foo\n       ^\nERROR at Row:2:Column:8\n"
        in org.refusal("SELECT Id,\n       Foo\nFROM Contact")["message"]
    )


@pytest.mark.parametrize(
    ("soql", "error"),
    [
        ("SELECT Id, id FROM Contact", {"errorCode": "INVALID_FIELD", "message": "duplicate field selected: Id"}),
        (
            "SELECT Id FROM Contact OFFSET 2001",
            {"errorCode": "NUMBER_OUTSIDE_VALID_RANGE", "message": "Maximum SOQL offset allowed is 2000"},
        ),
    ],
)
def test_some_refusals_point_nowhere(org: RunningOrg, soql: str, error: dict[str, str]) -> None:
    """They have words alone."""
    assert org.refusal(soql) == error

"""Whatever text comes as a query, the answer is a result or a refusal, never a breakdown."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.org.conftest import RunningOrg, V

FIELDS = ["Id", "Name", "Email", "Account.Name", "Owner.Name", "SystemModstamp", "Score__c", "IsDeleted", "Birthdate",
          "Interests__c", "MailingAddress", "Description", "Nope", "Account.Nope", "Contact.Id"]  # fmt: skip
VALUES = ["'x'", "'%'", "null", "5", "-1.5e3", "true", "TODAY", "LAST_N_DAYS:3", "LAST_N_DAYS:99999", "2026-01-01",
          "''", "2026-01-01T00:00:00Z", "2026-13-01T00:00:00.000Z", "'0035g0000200001'", "'\\''", "NOW",
          "1e999", "23:59:59.999Z", "99:99:99", "'\\u0041'", "9999-12-31",
          "LAST_N_FISCAL_YEARS:9999999999"]  # fmt: skip
CALLS = [
    "COUNT(Id)", "MIN(Birthdate) a", "SUM(Email)", "CALENDAR_YEAR(Birthdate)", "FORMAT(CreatedDate) d",
    "MAX(LeadSource)", "toLabel(LeadSource)", "toLabel(Account.Rating)", "FORMAT(MAX(Score__c)) m",
    "COUNT_DISTINCT(Name)", "DAY_ONLY(Email)", "HOUR_IN_DAY(convertTimezone(CreatedDate))",
    "convertTimezone(CreatedDate)", "GROUPING(LeadSource)", "FIELDS(CUSTOM)",
    "DISTANCE(MailingAddress, GEOLOCATION(1, 2), 'mi')", "(SELECT Subject, (SELECT Id FROM Nope) FROM Tasks LIMIT 1)",
    "(SELECT Id FROM Tasks WHERE Who.Name LIKE '%a')", "FORMAT(MailingAddress)", "convertCurrency(Score__c)",
    "TYPEOF Owner WHEN User THEN Id END",
]  # fmt: skip
GROUPS = ["", " ORDER BY Name DESC", " ORDER BY SystemModstamp NULLS LAST", " GROUP BY Name",
          " GROUP BY ROLLUP(LeadSource)", " GROUP BY CUBE(LeadSource, Account.Rating) ORDER BY GROUPING(LeadSource)",
          " GROUP BY Birthdate", " GROUP BY CALENDAR_YEAR(CreatedDate) HAVING COUNT(Id) > 1",
          " ORDER BY LeadSource, Interests__c",
          " ORDER BY DISTANCE(MailingAddress, GEOLOCATION(1, 2), 'mi')"]  # fmt: skip
OPERATORS = ["=", "!=", "<>", "<", ">=", "LIKE", "IN", "NOT IN", "INCLUDES", "EXCLUDES"]
PIECES = st.sampled_from(
    [*FIELDS, *VALUES, *OPERATORS, "SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "(", ")", ",", "ORDER BY", "GROUP BY",
     "COUNT()", "COUNT(Id)", "MAX(Score__c)", "FIELDS(ALL)", "LIMIT 3", "OFFSET 1", "Contact", "HAVING", "DESC", "$1",
     "TYPEOF", "WHEN", "THEN", "ELSE", "END", "Owner", "ROLLUP(", "CUBE(", "GROUPING(LastName)", "USING SCOPE mine",
     "FOR VIEW", "WITH USER_MODE", "(SELECT Id FROM Tasks)", "IN (SELECT AccountId FROM Opportunity)", "10:30:00Z",
     "DISTANCE(MailingAddress, GEOLOCATION(1, 2), 'km')", "FORMAT(", "toLabel(", "convertTimezone(", "c.Account a"]
)  # fmt: skip


@st.composite
def _conditions(draw: st.DrawFn) -> str:
    field, operator = draw(st.sampled_from(FIELDS)), draw(st.sampled_from(OPERATORS))
    value = draw(st.sampled_from(VALUES))
    if operator in ("IN", "NOT IN", "INCLUDES", "EXCLUDES"):
        value = f"({value}, {draw(st.sampled_from(VALUES))})"
    return f"{'NOT ' * draw(st.integers(0, 1))}{field} {operator} {value}"


@st.composite
def _queries(draw: st.DrawFn) -> str:
    terms = st.sampled_from([*FIELDS, *CALLS])
    selected = ", ".join(draw(st.lists(terms, min_size=1, max_size=4)))
    word = draw(st.sampled_from([" AND ", " OR "]))
    where = word.join(draw(st.lists(_conditions(), max_size=3)))
    order = draw(st.sampled_from(GROUPS))
    return f"SELECT {selected} FROM Contact{' WHERE ' + where if where else ''}{order} LIMIT 5"


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(soql=_queries() | st.lists(PIECES, min_size=1, max_size=12).map(" ".join) | st.text(max_size=40))
def test_any_text_is_answered(org: RunningOrg, soql: str) -> None:
    """200 or 400, and a refusal has its code."""
    answer = org.http.get(f"{V}/query", params={"q": soql})
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 400:
        assert answer.json()[0]["errorCode"]

"""A predicate says which rows are bad, and can say nothing else."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.config.predicates import read_predicate
from include.quality.predicate import condition, failing_query

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def _condition(source: str) -> str:
    return condition(read_predicate(source, "Contact"), schema="salesforce_acme", now=NOW)


@pytest.mark.parametrize(
    ("source", "sql"),
    [
        ("{row.Email} IS NULL", '("row"."Email" IS NULL)'),
        ("{row.Birthdate} > {today}", """("row"."Birthdate" > '2026-11-20'::date)"""),
        (
            "{row.SystemModstamp} < {now} - interval '1 day'",
            """("row"."SystemModstamp" < '2026-11-20T12:00:00+00:00'::timestamptz - interval '1 day')""",
        ),
        (
            "NOT EXISTS (SELECT 1 FROM {Account} AS parent WHERE {parent.Id} = {row.AccountId})",
            '(NOT EXISTS ( SELECT 1 FROM (SELECT * FROM "salesforce_acme"."Account" WHERE "_deleted_at" IS NULL)'
            ' AS parent WHERE "parent"."Id" = "row"."AccountId" ))',
        ),
    ],
)
def test_placeholders_become_quoted_names_and_literals(source, sql):
    """Names come in by placeholder only, tables as their live records, the clock as a literal."""
    assert _condition(source) == sql


def test_a_predicate_tells_what_it_needs():
    """Objects and fields are read from the predicate itself, so that they cannot be declared wrongly."""
    source = "EXISTS (SELECT 1 FROM {User} AS owner WHERE {owner.Id} = {row.OwnerId} AND NOT {owner.IsActive})"
    assert dict(read_predicate(source, "Lead").needs) == {"Lead": ("OwnerId",), "User": ("Id", "IsActive")}


@pytest.mark.parametrize(
    "source",
    [
        "",
        "{row.Email} IS NULL; DROP TABLE x",
        "{row.Email} IS NULL -- the rest",
        "{row.Email} IS NULL /* the rest",
        "{row.Email} IS NULL) OR (1 = 1",
        "({row.Email} IS NULL",
        "{row.Email} IS NULL, 1",
        "SELECT 1",
        "{row.Email} = (SELECT usename FROM pg_user)",
        "{row.Email} IN (SELECT {a.Name} FROM {Account} AS a, pg_user)",
        "{row.Email} IN (SELECT {a.Name} FROM {Account} AS a UNION SELECT 1)",
        "EXISTS (DELETE FROM {Account} AS a)",
        "EXISTS (SELECT 1 INTO x FROM {Account} AS a)",
        "pg_sleep(10) IS NULL",
        "pg_read_file('/etc/passwd') IS NULL",
        "nextval('x') = 1",
        "random() < 1",
        "now() > {row.CreatedDate}",
        "current_user = 'x'",
        '"Email" IS NULL',
        "row.Email IS NULL",
        "Email IS NULL",
        "{row.Email} = E'\\''",
        "{row.Email} = U&'x'",
        "{row.Email} = $$x$$",
        "{row.Email} = $1",
        "{row.Email} = :name",
        "{row.Email} ~ '[[:space:]]'",
        "{Account} IS NULL",
        "{row} IS NULL",
        "{row.Email.Name} IS NULL",
        '{row."Email"} IS NULL',
        "{other.Email} IS NULL",
        "EXISTS (SELECT 1 FROM {Account} WHERE 1 = 1)",
        "EXISTS (SELECT 1 FROM {Account} AS row WHERE 1 = 1)",
        "EXISTS (SELECT 1 FROM {Account} AS lower WHERE 1 = 1)",
        "EXISTS (SELECT 1 FROM {Account} AS Parent WHERE 1 = 1)",
        "{row.Email}::regclass IS NULL",
        "{row.Email} IS NULL AND \\",
    ],
)
def test_whatever_is_no_single_condition_is_refused(source):
    """Other statements, comments, functions with effects, names outside placeholders: each is refused."""
    with pytest.raises(ValueError):
        read_predicate(source, "Contact")


_PIECES = st.one_of(
    st.sampled_from(
        ["{row.Email}", "{Account} AS a", "{a.Id}", "{today}", "{", "}", "(", ")", "1", ",", "=", "IS NULL"]
    ),
    st.sampled_from(
        ["SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "EXISTS", "DISTINCT", "left", "join", "lower"]
    ),
    st.sampled_from([";", "--", "/*", "*/", "*", "$$", '"', "\\", "UNION", "DELETE", "pg_sleep", "::", "text", "E"]),
    st.sampled_from(["'x'", "'it''s'", "'", "''", "'{'", "'--;'", "\n"]),
)


@settings(max_examples=400, deadline=None)
@given(pieces=st.lists(_PIECES, max_size=12), glue=st.sampled_from([" ", ""]))
def test_what_is_accepted_stays_inside_its_brackets(pieces, glue):
    """However the pieces fall: outside of strings no statement ends, no comment begins, no bracket is wrong."""
    try:
        sql = _condition(glue.join(pieces))
    except ValueError:
        return
    bare = re.sub(r"'(?:[^']|'')*'", "''", sql)
    assert not re.search(r";|--|/\*|\$|\\", bare)
    depths = []
    for character in bare:
        depths.append((depths[-1] if depths else 0) + (character == "(") - (character == ")"))
    assert depths[-1] == 0
    assert all(depth > 0 for depth in depths[:-1])


_OPERAND = st.one_of(
    st.sampled_from(["{row.Email}", "{row.LastName}", "lower({row.Email})", "coalesce({row.Email}, '')"]),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00:"), max_size=6).map(
        lambda text: "'" + text.replace("'", "''") + "'"
    ),
)
_COMPARISON = st.tuples(_OPERAND, st.sampled_from(["=", "<>", "<", "IS DISTINCT FROM"]), _OPERAND).map(" ".join)
_CONDITION = st.recursive(
    _COMPARISON,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda part: f"NOT ({part})"),
        inner.map(lambda part: f"EXISTS (SELECT 1 FROM {{Contact}} AS @ WHERE {{@.Email}} = '' OR {part})"),
    ),
    max_leaves=5,
).map(lambda text: "EXISTS (".join(part.replace("@", f"o{n}") for n, part in enumerate(text.split("EXISTS ("))))


def test_every_condition_of_the_language_is_one_that_postgres_plans(make_org):
    """What the reader accepts is SQL, with texts of any kind, and PostgreSQL sees one boolean condition."""
    org = make_org("Contact")
    url = org.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as connection:

        @settings(max_examples=150, deadline=None)
        @given(source=_CONDITION)
        def every(source: str) -> None:
            statement = f'EXPLAIN SELECT 1 FROM salesforce_acme."Contact" AS "row" WHERE {_condition(source)}'
            connection.execute(statement.encode())

        every()


def test_braces_and_joins_reach_great_expectations_as_it_wants_them():
    """GX formats the query: braces of a pattern are doubled, and a query with a join names its batch itself."""
    plain = failing_query(read_predicate("{row.Phone} ~ 'x{2}'", "Contact"), schema="s", now=NOW)
    assert plain == """SELECT "row"."Id" FROM (SELECT * FROM {batch}) AS "row" WHERE ("row"."Phone" ~ 'x{{2}}')"""
    joined = (
        "EXISTS (SELECT 1 FROM {Account} AS a JOIN {Account} AS b ON {a.Name} = {b.Name}"
        " WHERE {a.Id} = {row.AccountId})"
    )
    assert "{batch} AS live" in failing_query(read_predicate(joined, "Contact"), schema="s", now=NOW)

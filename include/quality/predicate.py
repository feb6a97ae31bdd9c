"""Say a predicate in SQL: pure, so that the sweep and Great Expectations ask the warehouse the very same question."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from include.config.predicates import ROW, Predicate, Token
from include.quality.reference_lists import reference_list
from include.warehouse.engine import quoted
from include.warehouse.health.journals import LIVE

_NO_TIME = datetime.min.replace(tzinfo=UTC)


def live_rows(schema: str, object: str) -> str:
    """Return a sub-select of the records of an object that are not deleted."""
    return f"(SELECT * FROM {quoted(schema, object)} WHERE {LIVE})"


def condition(predicate: Predicate, *, schema: str, now: datetime) -> str:
    """Return the predicate as one bracketed SQL condition on the table alias "row".

    Args:
        predicate: what makes a row bad.
        schema: where the org's tables are.
        now: the moment of the assessment, aware; it is written into the condition, because GX takes no values.
    """
    return f"({' '.join(_sql(token, schema, now) for token in predicate.tokens)})"


def expression(tokens: Iterable[Token]) -> str:
    """Return an expression of fields, functions and constants as bracketed SQL."""
    return f"({' '.join(_sql(token, '', _NO_TIME) for token in tokens)})"


def failing_query(predicate: Predicate, *, schema: str, now: datetime) -> str:
    """Return the condition as Great Expectations wants it: a query for the bad rows of {batch}, braces doubled.

    GX names the batch by itself, unless it finds a join in the query: then the query has to.
    """
    has_join = any(token.kind == "text" and token.text.lower() == "join" for token in predicate.tokens)
    batch = "{batch} AS live" if has_join else "{batch}"
    where = condition(predicate, schema=schema, now=now).replace("{", "{{").replace("}", "}}")
    row = quoted(ROW)
    return f"SELECT {row}.{quoted('Id')} FROM (SELECT * FROM {batch}) AS {row} WHERE {where}"


def _sql(token: Token, schema: str, now: datetime) -> str:
    if token.kind == "field":
        return quoted(token.alias, token.text)
    if token.kind == "table":
        return live_rows(schema, token.text)
    if token.kind == "duplicates":
        return _found(token, schema)
    if token.kind == "list":
        return f"({', '.join(_literal(entry) for entry in reference_list(token.text))})"
    if token.kind == "now":
        return f"'{now.isoformat()}'::timestamptz"
    if token.kind == "today":
        return f"'{now.date().isoformat()}'::date"
    return token.text


def _found(token: Token, schema: str) -> str:
    """Return the records that rules found to be one with another; org and objects are names, not what people type."""
    rules = ", ".join(_literal(rule) for rule in token.text.split(","))
    org, object, among = map(_literal, (schema.removeprefix("salesforce_"), token.alias, token.among))
    where = f"org = {org} AND object = {object} AND rule IN ({rules})"
    if token.among != token.alias:
        return f"(SELECT record_id FROM headwater.duplicate_link WHERE {where} AND other_object = {among})"
    pairs = f"FROM headwater.duplicate_pair WHERE {where}"
    return f"(SELECT left_id {pairs} UNION SELECT right_id {pairs})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

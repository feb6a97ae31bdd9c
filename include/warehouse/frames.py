"""Give analysts objects, findings and outcomes as data frames with exact types (docs/data-frames.md).

A frame holds people's data unmasked: who can call this can read the warehouse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, text

from include.errors import NotReady
from include.exports.columns import Column
from include.warehouse.column_kinds import columns_of
from include.warehouse.engine import driver, quoted, transaction

if TYPE_CHECKING:
    import pandas

_ROWS_AT_ONCE = 20_000

_FINDINGS = (
    Column(name="Id", kind="text"),
    Column(name="object", kind="text"),
    Column(name="check", kind="text"),
    Column(name="title", kind="text"),
    Column(name="severity", kind="text"),
    Column(name="first_seen_at", kind="datetime"),
)
_OUTCOMES = (
    Column(name="Id", kind="text"),
    Column(name="push", kind="text"),
    Column(name="outcome", kind="text"),
    Column(name="cause", kind="text"),
    Column(name="message", kind="text"),
    Column(name="at", kind="datetime"),
)


def frame(
    engine: Engine,
    org: str,
    *,
    object: str = "",
    check: str = "",
    run_id: int | None = None,
    fields: Sequence[str] = (),
    assessment_id: int | None = None,
    deleted: bool = False,
    decimals: bool = False,
) -> pandas.DataFrame:
    """Return an object, the findings of a check, or the outcomes of a push's run as a data frame, in order of Id.

    Give exactly one of `object`, `check` and `run_id`.

    Args:
        engine: the warehouse.
        org: name of the org.
        object: API name of an object: its records.
        check: name of a check: the records that failed it at the newest assessment.
        run_id: number of a push's run: what became of its records; those found unchanged are only counted.
        fields: of the object; () is all of them, and beside findings none.
        assessment_id: of findings: another assessment.
        deleted: of an object: deleted records, too, with the column `_deleted_at`.
        decimals: numbers as `decimal.Decimal`, digit by digit; otherwise they are floats.

    Raises:
        NotReady: the warehouse has no such object, field, check or run.
        ValueError: not exactly one of the three was given.
    """
    if [bool(object), bool(check), run_id is not None].count(True) != 1:
        raise ValueError("give one of object=, check= and run_id=")
    with transaction(engine) as connection:
        if object:
            columns, statement, bound = _of_object(connection, org, object, fields, deleted=deleted)
        elif check:
            columns, statement, bound = _of_check(connection, org, check, fields, assessment_id)
        else:
            columns, statement, bound = _of_run(connection, org, run_id)
        return _read(connection, columns, statement, bound, decimals=decimals)


_Query = tuple[tuple[Column, ...], str, Mapping[str, Any]]


def _of_object(connection: Connection, org: str, object: str, fields: Sequence[str], *, deleted: bool) -> _Query:
    ours = ("_loaded_at", "_run_id", "_deleted_at")
    chosen = _chosen(connection, org, object, fields or None, without=ours)
    shown = (*chosen, Column(name="_deleted_at", kind="datetime")) if deleted else chosen
    names = ", ".join(quoted(column.name) for column in shown)
    live = "" if deleted else " WHERE _deleted_at IS NULL"
    key = ' ORDER BY "Id"' if any(each.name == "Id" for each in chosen) else ""
    return shown, f"SELECT {names} FROM {quoted(f'salesforce_{org}', object)}{live}{key}", {}


def _of_check(connection: Connection, org: str, check: str, fields: Sequence[str], assessment_id: int | None) -> _Query:
    issue = connection.execute(
        text(
            "SELECT i.assessment_id, i.object, i.title, i.severity FROM headwater.issue AS i"
            " JOIN headwater.assessment AS a USING (assessment_id) WHERE a.org = :org AND i.check_id = :check"
            " AND i.verdict <> 'not_assessed' AND a.assessment_id = coalesce(:assessment_id,"
            " (SELECT max(assessment_id) FROM headwater.assessment WHERE org = :org))"
        ),
        {"org": org, "check": check, "assessment_id": assessment_id},
    ).one_or_none()
    if issue is None:
        which = f"assessment {assessment_id}" if assessment_id is not None else "the newest assessment"
        raise NotReady(f"{which} of {org} did not assess the check {check!r}; see the page Health for those it did")
    chosen = _chosen(connection, org, issue.object, fields) if fields else ()
    record = f' LEFT JOIN {quoted(f"salesforce_{org}", issue.object)} AS record ON record."Id" = f.record_id'
    values = "".join(f", record.{quoted(column.name)}" for column in chosen)
    return (
        _FINDINGS + chosen,
        "SELECT f.record_id, f.object, f.check_id, %(title)s::text, %(severity)s::text, a.assessed_at"
        f"{values} FROM headwater.finding AS f LEFT JOIN headwater.assessment AS a ON a.assessment_id = f.found_by"
        f"{record if chosen else ''} WHERE f.org = %(org)s AND f.check_id = %(check)s AND f.found_by <= %(at)s"
        " AND (f.mended_by IS NULL OR f.mended_by > %(at)s) ORDER BY f.record_id",
        {"org": org, "check": check, "at": issue.assessment_id, "title": issue.title, "severity": issue.severity},
    )


def _of_run(connection: Connection, org: str, run_id: int | None) -> _Query:
    bound = {"org": org, "run_id": run_id}
    known = connection.execute(text("SELECT FROM headwater.push_run WHERE org = :org AND run_id = :run_id"), bound)
    if known.one_or_none() is None:
        raise NotReady(f"{org} has no run {run_id} of a push; see the page Pushes for those there are")
    return (
        _OUTCOMES,
        "SELECT o.record_id, p.push, o.outcome, o.cause, o.message, o.at FROM headwater.outcome AS o"
        " JOIN headwater.push_run AS p USING (run_id) WHERE o.run_id = %(run_id)s ORDER BY o.record_id",
        bound,
    )


def _chosen(
    connection: Connection, org: str, object: str, fields: Sequence[str] | None, without: Sequence[str] = ()
) -> tuple[Column, ...]:
    known = {each.name: each.exported for each in columns_of(connection, org, object)}
    if not known:
        raise NotReady(f"the warehouse has no {object} of {org}; add it to the org's objects, or let its extract run")
    missing = [name for name in fields or () if name not in known]
    if missing:
        raise NotReady(f"{object} of {org} has no column {', '.join(missing)}; see the page Schema for its fields")
    names = [name for name in known if name not in without] if fields is None else fields
    return tuple(known[name] for name in names)


def _read(
    connection: Connection, columns: Sequence[Column], statement: str, bound: Mapping[str, Any], *, decimals: bool
) -> pandas.DataFrame:
    import pandas

    dtypes = [_dtype(column, decimals=decimals) for column in columns]
    parts: list[list[Any]] = [[] for _ in columns]
    with driver(connection).cursor(name="frame") as cursor:
        cursor.execute(statement.encode() if bound else statement.replace("%", "%%").encode(), bound or None)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            for part, values, dtype in zip(parts, zip(*rows, strict=True), dtypes, strict=True):
                part.append(pandas.Series(values, dtype=dtype))
    empty = [pandas.Series([], dtype=dtype) for dtype in dtypes]
    joined = [pandas.concat(part, ignore_index=True) if part else none for part, none in zip(parts, empty, strict=True)]
    found = pandas.concat(joined, axis="columns") if joined else pandas.DataFrame()
    found.columns = pandas.Index([column.name for column in columns])
    return found


def _dtype(column: Column, *, decimals: bool) -> Any:
    """Return the type of a column in pandas; it has none for days, times and decimals, which stay Python's own."""
    exact = {"integer": "Int64", "boolean": "boolean", "datetime": "datetime64[us, UTC]", "text": "string"}
    if column.kind == "number" and not decimals:
        return "Float64"
    return exact.get(column.kind, "object")

"""Read the findings of a check as rows of an export: a batch at a time, personal values masked in the database.

Each batch is a short transaction of its own: a slow reader of the file keeps no connection from the pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine, text

from include.config.checks import SoughtDuplicates
from include.exports.columns import Column
from include.warehouse.column_kinds import TableColumn, columns_of
from include.warehouse.duplicates.matches import matches_of
from include.warehouse.engine import quoted, transaction
from include.warehouse.health.assessments import IssueResult
from include.warehouse.personal.fields import personal_fields
from include.warehouse.personal.masks import MASK

ROWS_AT_ONCE = 5_000
_ALWAYS = (
    Column(name="Id", kind="text"),
    Column(name="link", kind="text"),
    Column(name="check", kind="text"),
    Column(name="title", kind="text"),
    Column(name="severity", kind="text"),
    Column(name="first_seen", kind="datetime"),
)
_OF_DUPLICATES = (
    Column(name="cluster", kind="integer"),
    Column(name="matched_by", kind="text"),
    Column(name="matched_id", kind="text"),
    Column(name="matched_score", kind="number"),
    Column(name="matches", kind="integer"),
)

# Open at that assessment: found by it or before, and not mended until after it.
_PAGE = """
SELECT page.record_id, a.assessed_at{fields}
  FROM (SELECT f.record_id, f.found_by FROM headwater.finding AS f
         WHERE f.org = :org AND f.check_id = :check_id AND f.record_id > :after
           AND f.found_by <= :assessment_id AND (f.mended_by IS NULL OR f.mended_by > :assessment_id)
         ORDER BY f.record_id LIMIT :limit) AS page
  LEFT JOIN headwater.assessment AS a ON a.assessment_id = page.found_by{row}
 ORDER BY page.record_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRows:
    """Hold the columns of an export of findings, and the rows in batches (once).

    `shown_personal` names the personal fields whose values are shown.
    """

    columns: tuple[Column, ...]
    shown_personal: tuple[str, ...]
    batches: Iterator[Sequence[Sequence[Any]]]


def finding_rows(
    engine: Engine,
    org: str,
    issue: IssueResult,
    assessment_id: int,
    *,
    fields: Sequence[str],
    link: Callable[[str, str], str],
    unmasked: bool,
    sought: SoughtDuplicates | None = None,
    rows_at_once: int = ROWS_AT_ONCE,
) -> FindingRows:
    """Return the records that failed a check at an assessment, in order of Id.

    Args:
        engine: the warehouse.
        org: whose.
        issue: what the assessment found of the check.
        assessment_id: which assessment.
        fields: of the object, to stand beside each Id as they are now; one that has no column is left out.
        link: gives the address of a record by object and Id.
        unmasked: whether personal values are shown.
        sought: of a check of duplicates: what each record is one with stands beside it, as it is now.
        rows_at_once: how many rows a batch has.
    """
    with transaction(engine) as connection:
        known = {column.name: column for column in columns_of(connection, org, issue.object)}
    chosen = [known[name] for name in fields if name in known and name != "Id"]
    personal = {column.name for column in chosen if column.personal}
    masked = set() if unmasked else personal
    shown = tuple(replace(each.exported, kind="text") if each.name in masked else each.exported for each in chosen)
    bound = {"org": org, "check_id": issue.check_id, "assessment_id": assessment_id, "limit": rows_at_once}
    about = (issue.check_id, issue.title, issue.severity)

    def batches() -> Iterator[Sequence[Sequence[Any]]]:
        after = ""
        while True:
            with transaction(engine) as connection:
                # A long file outlives decisions: what became personal since it began is left empty from here on.
                register = personal_fields(connection, org, (issue.object,))
                emptied = set() if unmasked else {name for name in fields if register.is_personal(issue.object, name)}
                statement = _statement(org, issue.object, chosen, masked, emptied - masked, has_row="Id" in known)
                rows = connection.execute(text(statement), {**bound, "after": after}).all()
                beside = _beside(connection, org, issue.object, sought, [row[0] for row in rows])
            if rows:
                yield [
                    (row[0], link(issue.object, row[0]), *about, row[1], *with_whom, *row[2:])
                    for row, with_whom in zip(rows, beside, strict=True)
                ]
            if len(rows) < rows_at_once:
                return
            after = rows[-1][0]

    return FindingRows(
        columns=_ALWAYS + (_OF_DUPLICATES if sought else ()) + shown,
        shown_personal=tuple(sorted(personal)) if unmasked else (),
        batches=batches(),
    )


def _beside(
    connection: Connection, org: str, object: str, sought: SoughtDuplicates | None, record_ids: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Return what stands beside each record: nothing, unless the check is one of duplicates."""
    if sought is None:
        return [()] * len(record_ids)
    found = matches_of(connection, org, object, sought, record_ids)
    nobody = (None,) * len(_OF_DUPLICATES)
    return [
        (each.cluster_id, each.rule, each.matched_id, each.score, each.others) if (each := found.get(one)) else nobody
        for one in record_ids
    ]


def _statement(
    org: str, object: str, chosen: Sequence[TableColumn], masked: set[str], emptied: set[str], *, has_row: bool
) -> str:
    if not has_row or not chosen:
        return _PAGE.format(fields="", row="")
    fields = "".join(f", {_field(column.name, masked, emptied)}" for column in chosen)
    row = f' LEFT JOIN {quoted(f"salesforce_{org}", object)} AS record ON record."Id" = page.record_id'
    return _PAGE.format(fields=fields, row=row)


def _field(name: str, masked: set[str], emptied: set[str]) -> str:
    if name in emptied:
        return "NULL"
    column = f"record.{quoted(name)}"
    return f"CASE WHEN {column} IS NOT NULL THEN '{MASK}' END" if name in masked else column

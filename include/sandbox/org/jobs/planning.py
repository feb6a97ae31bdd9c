"""Queries as the Bulk APIs take them: what they can't do is refused in the words that clients look for."""

from __future__ import annotations

import re
from dataclasses import replace

from include.sandbox.org.clock import Clock
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.field import COMPOUND_TYPES
from include.sandbox.org.soql.plan import Cell, Children, Plan, plan_query

V2, CLASSIC = "Bulk V2 Query", "Bulk Query"
_COLUMNS_AS_ASKED = 50.0  # older versions sort them
_TEXTS = re.compile(r"'(?:[^'\\]|\\.)*'")
_UNSUPPORTED = frozenset({
    "AcceptedEventRelation", "CaseStatus", "ContractStatus", "DeclinedEventRelation", "OrderStatus", "PartnerRole",
    "SolutionStatus", "TaskPriority", "TaskStatus", "UndecidedEventRelation", "UserRecordAccess", "WorkOrderStatus",
})  # fmt: skip


def plan_bulk(
    query: str, catalogue: Catalogue, clock: Clock, *, deleted: bool, version: str, kind: str = V2,
    content: str = "CSV",
) -> Plan:  # fmt: skip
    """Return the plan of a query, or refuse it."""
    words = _TEXTS.sub("", query)
    if re.search(r"\bTYPEOF\b", words, re.IGNORECASE):
        raise Refusal(400, "API_ERROR", f"Implementation restriction: TYPEOF is not supported in {kind}")
    if re.search(r"\bFIELDS\s*\(\s*(ALL|CUSTOM)\s*\)", words, re.IGNORECASE):
        message = f"Implementation restriction: FIELDS(ALL) and FIELDS(CUSTOM) are not supported in {kind}"
        raise Refusal(400, "API_ERROR", message)
    plan = plan_query(query, catalogue, deleted=deleted, now=clock.milliseconds(), today=clock.now().date())
    if re.search(r"\bFIELDS\s*\(", words, re.IGNORECASE):
        plan = replace(plan, cells=tuple(each for each in plan.cells if _unfit(each, kind, content) is None))
    _check(plan, kind, content)
    if float(version) < _COLUMNS_AS_ASKED and content == "CSV":
        plan = replace(plan, cells=tuple(sorted(plan.cells, key=lambda cell: cell.name)))
    return plan


def _check(plan: Plan, kind: str, content: str) -> None:
    if plan.object.name in _UNSUPPORTED:
        message = f"Entity '{plan.object.name}' is not supported by the Bulk API."
        raise Refusal(400, "INVALIDENTITY", message)
    if plan.aggregate:
        message = "Implementation restriction: aggregate functions and GROUP BY are not supported in Bulk Query"
        raise Refusal(400, "API_ERROR", message)
    if plan.offset is not None:
        raise Refusal(400, "API_ERROR", "Implementation restriction: OFFSET is not supported in Bulk Query")
    for cell in plan.cells:
        refusal = _unfit(cell, kind, content)
        if refusal is not None:
            raise refusal


def _unfit(cell: object, kind: str, content: str) -> Refusal | None:
    """Return why a cell can't be selected, or None if it can."""
    if not isinstance(cell, Cell):
        if content == "JSON" and isinstance(cell, Children):
            return None
        message = f"Aggregate Relationships not supported in {kind} with {content} content type"
        return Refusal(400, "API_ERROR", message)
    field = cell.column.field if cell.column else None
    if field is not None and field.type in COMPOUND_TYPES:
        message = "Selecting compound data not supported in Bulk Query"
        return Refusal(400, "FUNCTIONALITY_NOT_ENABLED", message)
    if field is not None and field.type == "base64":
        return Refusal(400, "API_ERROR", f"Blob field not supported in {kind} with {content} content type")
    return None

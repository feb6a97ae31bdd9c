"""How a query would be run, in the words of the query plan tool: by an index, or over the whole table."""

from __future__ import annotations

from typing import Any

from include.sandbox.org.schema.field import Field
from include.sandbox.org.soql.plan import Plan
from include.sandbox.org.soql.render import count_sql
from include.sandbox.org.store.database import Database
from include.sandbox.org.store.tables import visible_sql

_INDEXED = frozenset({"Id", "Name", "OwnerId", "CreatedDate", "SystemModstamp", "LastModifiedDate", "RecordTypeId"})
_SELECTIVE = 0.3  # of all records, up to a million of them


def explain(database: Database, plan: Plan) -> dict[str, Any]:
    """Return the ways in which a query could be run, the best first."""
    found = plan.bare_count or not plan.aggregate
    cardinality = database.rows(count_sql(plan), plan.values)[0][0] if found else 1
    seen = visible_sql("t", str(plan.reader.now))
    size = database.rows(f'SELECT count(*) FROM "{plan.object.name}" t WHERE {seen}')[0][0]
    share = cardinality / max(size, 1)
    indexed = [name for name in plan.filtered if _has_index(plan.object.field(name))]
    ways = []
    if indexed:
        cost = round(share / _SELECTIVE, 3)
        ways.append(_way(plan, cardinality, size, "Index", indexed, cost))
    ways.append(_way(plan, cardinality, size, "TableScan", [], round(0.65 + share, 3)))
    return {"plans": sorted(ways, key=lambda way: float(way["relativeCost"]))}


def _way(plan: Plan, cardinality: int, size: int, kind: str, fields: list[str], cost: float) -> dict[str, Any]:
    note = {
        "description": "Not considering filter for optimization because unindexed",
        "fields": ["IsDeleted"],
        "tableEnumOrId": plan.object.name,
    }
    return {
        "cardinality": cardinality,
        "fields": fields,
        "leadingOperationType": kind,
        "notes": [note] if plan.object.field("IsDeleted") and not plan.deleted else [],
        "relativeCost": cost,
        "sobjectCardinality": size,
        "sobjectType": plan.object.name,
    }


def _has_index(each: Field | None) -> bool:
    return each is not None and (each.name in _INDEXED or each.type == "reference" or each.external_id or each.unique)

"""The truth about planted defects, duplicates, and people who only look like duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from include.sandbox.org.generator.defects import DEFECTS, NOT_DUPLICATES, UNIONS, Defect, bit, find
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import not_found
from include.sandbox.org.store.tables import visible_sql

_LOOKALIKES = "not_duplicates"


def truth(org: Org) -> dict[str, Any]:
    """Count the records of each planted defect that are still there, and of each trap for finders of duplicates."""
    result: dict[str, Any] = {}
    counts = _counts(org, (*DEFECTS, *NOT_DUPLICATES))
    for each in DEFECTS:
        result[each.name] = {"object": each.object, "count": counts[each.name], "meaning": each.meaning}
    for name, kinds in UNIONS.items():
        result[name] = {
            "object": _member(kinds[0]).object,
            "count": sum(counts[each] for each in kinds),
            "meaning": "any of these",
            "kinds": list(kinds),
        }
    result[_LOOKALIKES] = {
        "object": NOT_DUPLICATES[0].object,
        "count": sum(counts[each.name] for each in NOT_DUPLICATES),
        "meaning": "looks like the record before it, but is somebody else",
        "kinds": [each.name for each in NOT_DUPLICATES],
    }
    return result


def truth_of(org: Org, name: str) -> dict[str, Any]:
    """List the Ids of a planted defect; for pairs also which record each one doubles, or only resembles."""
    if name == _LOOKALIKES:
        return _united(org, NOT_DUPLICATES)
    if name in UNIONS:
        return _united(org, [_member(each) for each in UNIONS[name]])
    defect = find(name)
    if defect is None:
        raise not_found(f"no planted defect is called {name}")
    rows = org.database.rows(f'SELECT "Id", _twin {_with_defects(org, [defect])} ORDER BY _n')
    pairs = [[twin, own] for own, twin in rows if twin]
    return {"object": defect.object, "ids": [own for own, _ in rows], **({"pairs": pairs} if pairs else {})}


def _united(org: Org, kinds: Sequence[Defect]) -> dict[str, Any]:
    rows = org.database.rows(f'SELECT "Id", _twin, _defects {_with_defects(org, kinds)} ORDER BY _n')
    return {
        "object": kinds[0].object,
        "ids": [own for own, _, _ in rows],
        "pairs": [[twin, own] for own, twin, _ in rows],
        "kinds": {
            each.name: {
                "meaning": each.meaning,
                "pairs": [[twin, own] for own, twin, marks in rows if marks & bit(each)],
            }
            for each in kinds
        },
    }


def _member(name: str) -> Defect:
    found = find(name)
    assert found is not None, name
    return found


def _counts(org: Org, wanted: Sequence[Defect]) -> dict[str, int]:
    """Count each defect in one pass over each object."""
    result: dict[str, int] = {}
    for name in dict.fromkeys(each.object for each in wanted):
        own = [each for each in wanted if each.object == name]
        counted = ", ".join(f"count(*) FILTER ((_defects & {bit(each)}) <> 0)" for each in own)
        row = org.database.rows(f"SELECT {counted} {_with_defects(org, own)}")[0]
        result |= {each.name: count for each, count in zip(own, row, strict=True)}
    return result


def _with_defects(org: Org, kinds: Sequence[Defect]) -> str:
    bits = sum(bit(each) for each in kinds)
    seen = visible_sql("t", str(org.clock.milliseconds()))
    return f'FROM "{kinds[0].object}" t WHERE (t._defects & {bits}) <> 0 AND NOT t."IsDeleted" AND {seen}'

"""Semi-joins and anti-joins: where a query may ask IN (SELECT …), and what may stand inside."""

from __future__ import annotations

from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.field import Field
from include.sandbox.org.soql.cells import Cell
from include.sandbox.org.soql.complaint import complain
from include.sandbox.org.soql.operand import Operand
from include.sandbox.org.soql.tree import Among, Call, Condition, Joined, Not, Path, Query

_MOST = 2
_NO_INNER_OBJECTS = frozenset({"event", "task", "note", "attachment", "activityhistory", "openactivity"})
_TOP_LEVEL = (
    "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE expressions."
)


def check_places(query: str, where: Condition | None, *, inside: bool, having: bool = False) -> None:
    """Refuse sub-selects that stand below OR or NOT, in HAVING, or in a sub-select, and more than two of them."""
    found = list(_all_of(where))
    if not found:
        return
    position = found[0].left.position
    if having:
        raise complain("MALFORMED_QUERY", query, position, "Semi join sub-selects are not allowed in HAVING clauses")
    if inside:
        raise complain("MALFORMED_QUERY", query, position, "Nesting of semi join sub-selects is not supported")
    if len(found) > _MOST:
        message = f"Maximum {_MOST} semi join sub-selects are allowed"
        raise complain("MALFORMED_QUERY", query, found[_MOST].left.position, message)
    for each in found:
        if not _on_top(where, each):
            raise complain("MALFORMED_QUERY", query, each.left.position, _TOP_LEVEL)


def check_inner(query: str, outer: Among, outer_object: str, tree: Query) -> None:
    """Refuse what a sub-select's text alone shows to be wrong."""
    refuse = _Complaint(query, tree.position)
    if isinstance(outer.left, Path) and len(outer.left.parts) > 1 and "." in _beyond(outer.left, outer_object):
        raise refuse(f"The left operand '{outer.left.text}' cannot have more than one level of relationships")
    if len(tree.items) != 1 or not isinstance(tree.items[0].term, Path):
        raise refuse("semi join sub-selects can only query one id or reference field")
    if tree.limit is not None or tree.offset is not None:
        raise refuse("LIMIT is not allowed in semi join sub-selects")
    if tree.orders:
        raise refuse("ORDER BY is not allowed in semi join sub-selects")
    if tree.groups or any(isinstance(item.term, Call) for item in tree.items):
        raise refuse("Aggregate functions are not allowed in semi join sub-selects")
    if tree.object.lower() in _NO_INNER_OBJECTS:
        raise refuse(f"Entity '{tree.object}' is not supported for semi join inner selects")
    if tree.object.lower() == outer_object.lower():
        raise refuse("The inner and outer selects should not be on the same object type")


def joinable(catalogue: Catalogue, left: Operand, inner: Cell) -> bool:
    """Say whether both sides can name records of the same object; of a field that names none, nothing is known."""
    assert inner.column is not None
    outside = _named_by(catalogue, left.field, left.prefix)
    inside = _named_by(catalogue, inner.column.field, inner.column.object.prefix)
    return not outside or not inside or bool(outside & inside)


def _named_by(catalogue: Catalogue, field: Field | None, prefix: str) -> set[str]:
    """Return the key prefixes of the records that an Id or a reference can name."""
    if field is None or field.type == "id":
        return {prefix} if prefix else set()
    parents = [catalogue.find(each) for each in field.parents]
    return {each.prefix for each in parents if each is not None} if all(parents) else set()


def _beyond(path: Path, outer_object: str) -> str:
    """Return a path without the object's own name, with a dot if it still goes through a parent."""
    parts = path.parts[1:] if path.parts[0].lower() == outer_object.lower() else path.parts
    return ".".join(parts)


class _Complaint:
    def __init__(self, query: str, position: int) -> None:
        self._query, self._position = query, position

    def __call__(self, message: str) -> Refusal:
        return complain("MALFORMED_QUERY", self._query, self._position, message)


def _all_of(condition: Condition | None) -> list[Among]:
    match condition:
        case Among(query=Query()):
            return [condition]
        case Joined(parts=parts):
            return [found for part in parts for found in _all_of(part)]
        case Not(inner=inner):
            return _all_of(inner)
    return []


def _on_top(condition: Condition | None, wanted: Among) -> bool:
    """Say whether a sub-select is the condition itself, or one that all others are joined to by AND."""
    match condition:
        case Among():
            return condition is wanted
        case Joined(word="AND", parts=parts):
            return any(_on_top(part, wanted) for part in parts)
    return False

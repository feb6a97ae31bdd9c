"""Trees of new records: parents with their children, in one call that succeeds or fails as a whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.http.outcomes import error_of, target_of, writer_of
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import ChildLink, SObject
from include.sandbox.org.writing import Writer, insert_records
from include.sandbox.org.writing.drafts import ROLLED_BACK
from include.sandbox.org.writing.whole import kept

_MOST = 200
_MOST_TYPES = 5
_DEEPEST = 5
_REFERENCE_ID = re.compile(r"[A-Za-z0-9]\w*", re.ASCII)


@dataclass(slots=True, kw_only=True)
class Node:
    """Hold one record of a tree, and the one above it."""

    target: SObject
    reference: str
    values: dict[str, Any]
    level: int
    parent: Node | None = None
    link: str | None = None
    id: str | None = None


def create(call: Call) -> Answer:
    """Answer POST /composite/tree/X."""
    target = target_of(call)
    nodes: list[Node] = []
    _grow(call.org, target, call.json(), nodes, parent=None, link=None)
    _check(nodes)
    errors: list[dict[str, Any]] = []

    def write() -> bool:
        for level in range(1, _DEEPEST + 1):
            if not errors:
                errors.extend(_write_level(call.org, [each for each in nodes if each.level == level], writer_of(call)))
        return not errors

    if not kept(call.org, write):
        return Answer(status=400, body={"hasErrors": True, "results": errors})
    ordered = sorted(nodes, key=lambda node: node.level)
    results = [{"referenceId": each.reference, "id": each.id} for each in ordered]
    return Answer(status=201, body={"hasErrors": False, "results": results})


def _grow(
    org: Org, target: SObject, asked: Any, nodes: list[Node], *, parent: Node | None, link: str | None
) -> None:  # fmt: skip
    rows = asked.get("records") if isinstance(asked, Mapping) else None
    if not isinstance(rows, list) or not rows:
        raise Refusal(400, "INVALID_INPUT", "records is required and must hold at least one record")
    for row in rows:
        attributes = row.get("attributes") if isinstance(row, Mapping) else None
        if not isinstance(attributes, Mapping) or not attributes.get("type") or not attributes.get("referenceId"):
            raise Refusal(400, "INVALID_INPUT", "Every record needs attributes with type and referenceId")
        if str(attributes["type"]).lower() != target.name.lower():
            raise Refusal(400, "INVALID_INPUT", f"{attributes['type']} stands where {target.name} must")
        level = parent.level + 1 if parent else 1
        node = Node(
            target=target, reference=str(attributes["referenceId"]), values={}, level=level, parent=parent, link=link
        )
        nodes.append(node)
        for name, value in row.items():
            child = _child_link(target, name) if isinstance(value, Mapping) and "records" in value else None
            if child is None:
                node.values[name] = value
                continue
            below = org.catalogue.find(child.object)
            if below is None:
                raise Refusal(400, "INVALID_FIELD", f"No such relation '{name}' on entity '{target.name}'")
            _grow(org, below, value, nodes, parent=node, link=child.field)


def _child_link(target: SObject, name: str) -> ChildLink | None:
    return next((each for each in target.children if each.name and each.name.lower() == name.lower()), None)


def _check(nodes: list[Node]) -> None:
    if len(nodes) > _MOST:
        raise Refusal(400, "LIMIT_EXCEEDED", f"The request can't contain more than {_MOST} records")
    if len({each.target.name for each in nodes}) > _MOST_TYPES:
        raise Refusal(400, "LIMIT_EXCEEDED", f"The request can't contain records of more than {_MOST_TYPES} types")
    if max(each.level for each in nodes) > _DEEPEST:
        raise Refusal(400, "LIMIT_EXCEEDED", f"The request can't contain trees of more than {_DEEPEST} levels")
    seen: set[str] = set()
    for node in nodes:
        if not _REFERENCE_ID.fullmatch(node.reference) or node.reference in seen:
            kind = "Duplicate" if node.reference in seen else "Invalid"
            raise Refusal(400, "INVALID_INPUT", f"{kind} ReferenceId provided in the request: {node.reference}")
        seen.add(node.reference)


def _write_level(org: Org, nodes: list[Node], writer: Writer) -> list[dict[str, Any]]:
    """Write the records of one level, object by object; return the errors."""
    errors = []
    for name in dict.fromkeys(each.target.name for each in nodes):
        alike = [each for each in nodes if each.target.name == name]
        rows = [
            each.values | ({each.link: each.parent.id} if each.parent is not None and each.link else {})
            for each in alike
        ]
        for node, result in zip(alike, insert_records(org, alike[0].target, rows, writer), strict=True):
            node.id = result.id
            own = [error_of(each) for each in result.errors if each is not ROLLED_BACK]
            if own:
                errors.append({"referenceId": node.reference, "errors": own})
    return errors

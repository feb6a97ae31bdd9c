"""A query's tree to a plan: SQL fragments of the store, ready to count, to page, and to render for REST or Bulk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.soql.cells import Cell, Children, Kinds
from include.sandbox.org.soql.complaint import complain
from include.sandbox.org.soql.conditions import Conditions, Values
from include.sandbox.org.soql.functions import AGGREGATES, DATE_FUNCTIONS
from include.sandbox.org.soql.operand import Operand
from include.sandbox.org.soql.parser import parse
from include.sandbox.org.soql.reader import Reader
from include.sandbox.org.soql.scope import Scope
from include.sandbox.org.soql.selection import AnyCell, Selection
from include.sandbox.org.soql.semijoins import check_inner, check_places, joinable
from include.sandbox.org.soql.terms import Terms
from include.sandbox.org.soql.tree import Among, Call, Fields, Item, Literal, LiteralKind, Path, Query, TypeOf
from include.sandbox.org.store.tables import visible_sql

__all__ = ["Cell", "Children", "Kinds", "Plan", "plan_query"]

_MAX_OFFSET = 2000
_MOST_IDS = 200
_MOST_SUBTOTALS = 3
_MOST_CHILDREN = 20
_NO_OBJECT = (
    "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' "
    "after the entity name. Please reference your WSDL or the describe call for the appropriate names."
)
_NO_CHILDREN = (
    "Didn't understand relationship '{name}' in FROM part of query call. If you are attempting to use a custom "
    "relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the "
    "describe call for the appropriate names."
)
_SCOPES = ("everything", "mine", "team", "delegated", "my_territory", "my_team_territory", "scopingrule")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Hold everything that is needed to run a query."""

    query: str
    object: SObject
    scope: Scope
    cells: tuple[AnyCell, ...]
    where: str
    order: str
    groups: str
    having: str
    limit: int | None
    offset: int | None
    values: tuple[Any, ...]
    aggregate: bool
    bare_count: bool
    ordered: bool
    limited: bool
    deleted: bool
    reader: Reader
    purposes: tuple[str, ...] = ()
    unbounded: bool = False  # FIELDS(ALL) or FIELDS(CUSTOM)
    filtered: tuple[str, ...] = ()  # the object's own fields that WHERE looks at

    @property
    def tail(self) -> str:
        """Return LIMIT and OFFSET."""
        limit = f" LIMIT {self.limit}" if self.limit is not None else ""
        return limit + (f" OFFSET {self.offset}" if self.offset else "")


def plan_query(
    query: str, catalogue: Catalogue, *, deleted: bool, now: int = 0, today: date | None = None,
    tree: Query | None = None, reader: Reader | None = None,
) -> Plan:  # fmt: skip
    """Return the plan of a query, or refuse it; without a reader, it is one in UTC who owns nothing."""
    reader = reader or Reader(now=now, day=today.isoformat() if today else "")
    return _Planner(query, catalogue, deleted, reader, Values()).plan(tree or parse(query))


class _Planner:
    def __init__(
        self, query: str, catalogue: Catalogue, deleted: bool, reader: Reader, values: Values,
        outer: tuple[Query, ...] = (), tables: list[int] | None = None, *, semi: bool = False,
    ) -> None:  # fmt: skip
        self._query = query
        self._catalogue = catalogue
        self._deleted = deleted
        self._reader = reader
        self._values = values
        self._outer = outer
        self._tables = tables if tables is not None else [0]
        self._semi = semi
        self._filtered: list[str] = []
        self._scope: Scope
        self._terms: Terms

    def plan(self, tree: Query, target: SObject | None = None) -> Plan:
        target = target or self._target(tree)
        self._tables[0] += 1
        self._scope = Scope(
            catalogue=self._catalogue, query=self._query, object=target, alias=tree.alias, now=self._reader.now,
            table=f"s{self._tables[0]}_" if self._outer else "t",
        )  # fmt: skip
        for name, path in tree.aliases:
            self._scope.named(name, path)
        bare_count = len(tree.items) == 1 and _is_bare_count(tree.items[0])
        aggregate = bare_count or bool(tree.groups) or any(_is_aggregate(item) for item in tree.items)
        self._check(tree, aggregate=aggregate, bare_count=bare_count)
        self._terms = Terms(
            scope=self._scope, reader=self._reader, groups={} if aggregate and not bare_count else None,
            subtotals=bool(tree.subtotals),
        )  # fmt: skip
        groups = ", ".join(self._terms.group(each) for each in tree.groups)
        selection = Selection(scope=self._scope, terms=self._terms, query=self._query, children=self._children)
        cells = () if bare_count else selection.cells(tree, aggregate=aggregate)
        where = self._where(tree, target)
        return Plan(
            query=self._query,
            object=target,
            scope=self._scope,
            cells=cells,
            where=where,
            order=", ".join(self._terms.order(each) for each in tree.orders),
            groups=f"{tree.subtotals}({groups})" if tree.subtotals else groups,
            having=self._conditions(having=True).sql(tree.having) if tree.having is not None else "",
            limit=tree.limit,
            offset=tree.offset,
            values=tuple(self._values.bound),
            aggregate=aggregate,
            bare_count=bare_count,
            ordered=bool(tree.orders),
            limited=tree.limit is not None,
            deleted=self._deleted,
            reader=self._reader,
            purposes=tree.purposes,
            unbounded=any(isinstance(each.term, Fields) and each.term.group != "STANDARD" for each in tree.items),
            filtered=tuple(dict.fromkeys(self._filtered)),
        )

    def _target(self, tree: Query) -> SObject:
        target = None if tree.above else self._catalogue.find(tree.object)
        if target is None:
            name = ".".join((*tree.above, tree.object))
            raise complain("INVALID_TYPE", self._query, tree.object_position, _NO_OBJECT.format(name=name))
        return target

    # -- what may be asked at all

    def _check(self, tree: Query, *, aggregate: bool, bare_count: bool) -> None:
        if tree.offset is not None and tree.offset > _MAX_OFFSET:
            raise Refusal(400, "NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {_MAX_OFFSET}")
        if aggregate and not bare_count and not tree.groups and tree.limit is not None:
            message = "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"
            raise complain("MALFORMED_QUERY", self._query, tree.position, message)
        if bare_count and tree.orders:
            term = tree.orders[0].term
            name = term.name if isinstance(term, Call) else term.text
            message = f"Ordered field must be grouped or aggregated: {name}"
            raise complain("MALFORMED_QUERY", self._query, term.position, message)
        if tree.subtotals and len(tree.groups) > _MOST_SUBTOTALS:
            message = f"GROUP BY {tree.subtotals} supports at most {_MOST_SUBTOTALS} fields"
            raise complain("MALFORMED_QUERY", self._query, tree.groups[_MOST_SUBTOTALS].position, message)
        children = [item.term for item in tree.items if isinstance(item.term, Query)]
        if len(children) > _MOST_CHILDREN:
            message = f"Number of parent to child relationships exceeds the limit of {_MOST_CHILDREN}"
            raise complain("MALFORMED_QUERY", self._query, children[_MOST_CHILDREN].position, message)
        if aggregate and any(isinstance(item.term, TypeOf) for item in tree.items):
            message = "TYPEOF is not allowed in a query that groups or aggregates"
            raise complain("MALFORMED_QUERY", self._query, tree.position, message)
        if tree.using and (tree.using.lower() not in _SCOPES or children):
            raise Refusal(400, "INVALID_QUERY_SCOPE", f"Scope '{tree.using}' is not supported by this query")
        self._check_unbounded(tree)

    def _check_unbounded(self, tree: Query) -> None:
        wide = [item.term for item in tree.items if isinstance(item.term, Fields) and item.term.group != "STANDARD"]
        bounded = tree.limit is not None and tree.limit <= _MOST_IDS
        if wide and not bounded and not _names_ids(tree):
            message = f"The SOQL FIELDS function must have a LIMIT of at most {_MOST_IDS}"
            raise complain("MALFORMED_QUERY", self._query, wide[0].position, message)

    # -- conditions

    def _where(self, tree: Query, target: SObject) -> str:
        table = self._scope.table
        where = [visible_sql(table, str(self._reader.now))]
        if not self._deleted and target.field("IsDeleted"):
            where.append(f'NOT {table}."IsDeleted"')
        if not self._deleted and target.field("IsArchived"):
            where.append(f'{table}."IsArchived" IS NOT TRUE')
        if tree.using and tree.using.lower() != "everything":
            owned = target.field("OwnerId") and tree.using.lower() == "mine"
            where.append(f'{table}."OwnerId" = {self._values.add(self._reader.user_id)}' if owned else "FALSE")
        check_places(self._query, tree.where, inside=self._semi)
        check_places(self._query, tree.having, inside=False, having=True)
        if tree.where is not None:
            where.append(self._conditions(having=False).sql(tree.where))
        return " AND ".join(where)

    def _conditions(self, *, having: bool) -> Conditions:
        operand = self._terms.having if having else self._filtered_term
        return Conditions(
            query=self._query, values=self._values, reader=self._reader, operand=operand, semi_join=self._semi_join
        )  # fmt: skip

    def _filtered_term(self, term: Path | Call) -> Operand:
        operand = self._terms.filtered(term)
        if isinstance(term, Path) and operand.field is not None and operand.sql.startswith(f"{self._scope.table}."):
            self._filtered.append(operand.field.name)
        return operand

    # -- queries within the query

    def _inner(self, tree: Query, *, semi: bool = False) -> _Planner:
        outer = (*self._outer, tree)
        return _Planner(
            self._query, self._catalogue, self._deleted, self._reader, self._values, outer, self._tables, semi=semi
        )

    def _children(self, outer: Query, tree: Query) -> Children:
        deepest = 4 if self._reader.version >= 58 else 1
        if len(self._outer) >= deepest:
            message = (
                f"SOQL statements cannot query aggregate relationships more than {deepest} "
                f"level{'s' if deepest > 1 else ''} away from the root entity object."
            )
            raise complain("MALFORMED_QUERY", self._query, tree.object_position, message)
        wanted = tree.object.lower()
        above = [each.lower() for each in tree.above]
        known: tuple[list[str], ...] = ([], [self._scope.object.name.lower()], [(self._scope.alias or "").lower()])
        link = next((each for each in self._scope.object.children if (each.name or "").lower() == wanted), None)
        child = self._catalogue.find(link.object) if link else None
        if link is None or child is None or above not in known:
            message = _NO_CHILDREN.format(name=tree.object)
            raise complain("INVALID_TYPE", self._query, tree.object_position, message)
        if tree.offset is not None and outer.limit != 1:
            message = "OFFSET is only allowed in a sub-query if the outer query has LIMIT 1"
            raise complain("MALFORMED_QUERY", self._query, tree.position, message)
        plan = self._inner(outer).plan(tree, child)
        if plan.aggregate:
            message = "Aggregate functions are not allowed in a sub-query"
            raise complain("MALFORMED_QUERY", self._query, tree.position, message)
        return Children(name=str(link.name), plan=plan, link=f'{plan.scope.table}."{link.field}"')

    def _semi_join(self, outer: Among, left: Operand) -> str:
        tree = outer.query
        assert tree is not None
        check_inner(self._query, outer, self._scope.object.name, tree)
        if left.type not in ("id", "reference"):
            message = (
                "The left operand field in the where expression for outer query should be an id field, "
                f"cannot use: '{left.name}'"
            )
            raise complain("MALFORMED_QUERY", self._query, outer.left.position, message)
        plan = self._inner(tree, semi=True).plan(tree)
        (cell,) = plan.cells
        if not isinstance(cell, Cell) or cell.column is None or not cell.column.field.is_id:
            message = f"The selected field in the inner query should be an id field, cannot use: '{cell.name}'"
            raise complain("MALFORMED_QUERY", self._query, tree.position, message)
        if cell.column.steps:
            message = f"The inner select field '{cell.name}' cannot have more than one level of relationships"
            raise complain("MALFORMED_QUERY", self._query, tree.position, message)
        if not joinable(self._catalogue, left, cell):
            message = f"The types of '{left.name}' and of the inner select field '{cell.name}' do not match"
            raise complain("MALFORMED_QUERY", self._query, outer.left.position, message)
        return f"SELECT {cell.column.sql} FROM {plan.scope.source_sql()} WHERE {plan.where}"


def _is_bare_count(item: Item) -> bool:
    term = item.term
    empty = isinstance(term, Call) and term.name == "COUNT" and term.argument is None and not term.more
    return empty and item.alias is None


def _is_aggregate(item: Item) -> bool:
    term = item.term
    while isinstance(term, Call):
        if term.name in AGGREGATES or term.name in DATE_FUNCTIONS or term.name == "GROUPING":
            return True
        term = term.argument if term.argument is not None else Path(parts=("",), position=0)
    return False


def _names_ids(tree: Query) -> bool:
    """Say whether WHERE asks for a list of at most 200 Ids."""
    match tree.where:
        case Among(left=Path(parts=(name,)), negated=False, query=None, values=values):
            return name.lower() == "id" and len(values) <= _MOST_IDS
    found = getattr(tree.where, "value", None)
    name = getattr(getattr(tree.where, "left", None), "text", "")
    return isinstance(found, Literal) and found.kind == LiteralKind.TEXT and name.lower() == "id"

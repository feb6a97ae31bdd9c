"""A query's tree to a plan: SQL fragments of the store, ready to count, to page, and to render for REST or Bulk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.field import Field, SObject
from include.sandbox.org.soql.complaint import complain
from include.sandbox.org.soql.conditions import Conditions, Operand, Values
from include.sandbox.org.soql.parser import parse
from include.sandbox.org.soql.scope import Column, Scope
from include.sandbox.org.soql.terms import GROUPING, TRANSPARENT, Terms
from include.sandbox.org.soql.tree import Call, Fields, Item, Path, Query, Term
from include.sandbox.org.store.tables import visible_sql

_MAX_OFFSET = 2000
_NO_OBJECT = (
    "sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' "
    "after the entity name. Please reference your WSDL or the describe call for the appropriate names."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Hold one selected value: a field, or an expression under a name."""

    name: str
    column: Column | None = None
    sql: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """Hold a sub-query for the records below each record."""

    name: str
    plan: Plan
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Hold everything that is needed to run a query."""

    query: str
    object: SObject
    scope: Scope
    cells: tuple[Cell | Children, ...]
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

    @property
    def tail(self) -> str:
        """Return LIMIT and OFFSET."""
        limit = f" LIMIT {self.limit}" if self.limit is not None else ""
        return limit + (f" OFFSET {self.offset}" if self.offset else "")


def plan_query(
    query: str, catalogue: Catalogue, *, deleted: bool, now: int, today: date, tree: Query | None = None
) -> Plan:
    """Return the plan of a query, or refuse it."""
    return _Planner(query, catalogue, deleted, now, today, Values()).plan(tree or parse(query))


class _Planner:
    def __init__(
        self, query: str, catalogue: Catalogue, deleted: bool, now: int, today: date, values: Values, depth: int = 0
    ) -> None:
        self._query = query
        self._catalogue = catalogue
        self._deleted = deleted
        self._now = now
        self._today = today
        self._values = values
        self._depth = depth
        self._scope: Scope
        self._terms: Terms

    def plan(self, tree: Query, target: SObject | None = None) -> Plan:
        target = target or self._catalogue.find(tree.object)
        if target is None:
            message = _NO_OBJECT.format(name=tree.object)
            raise complain("INVALID_TYPE", self._query, tree.object_position, message)
        self._scope = Scope(
            catalogue=self._catalogue, query=self._query, object=target, alias=tree.alias, now=self._now,
            table="t" if not self._depth else f"s{self._depth}x{len(self._values.bound)}_",
        )  # fmt: skip
        self._check_limits(tree)
        bare_count = tree.items == (Item(term=Call(name="COUNT", argument=None, position=_position(tree))),)
        aggregate = bare_count or bool(tree.groups) or any(_is_aggregate(item.term) for item in tree.items)
        self._terms = Terms(scope=self._scope, groups=set() if aggregate and not bare_count else None)
        groups = ", ".join(self._terms.group(each).sql for each in tree.groups)
        cells = () if bare_count else self._cells(tree, aggregate=aggregate)
        where = [visible_sql(self._scope.table, str(self._now))]
        if not self._deleted and target.field("IsDeleted"):
            where.append(f'NOT {self._scope.table}."IsDeleted"')
        if tree.where is not None:
            where.append(self._conditions(having=False).sql(tree.where))
        return Plan(
            query=self._query,
            object=target,
            scope=self._scope,
            cells=cells,
            where=" AND ".join(where),
            order=", ".join(self._terms.order(each) for each in tree.orders),
            groups=groups,
            having=self._conditions(having=True).sql(tree.having) if tree.having is not None else "",
            limit=tree.limit,
            offset=tree.offset,
            values=tuple(self._values.bound),
            aggregate=aggregate,
            bare_count=bare_count,
            ordered=bool(tree.orders),
            limited=tree.limit is not None,
        )

    def _conditions(self, *, having: bool) -> Conditions:
        operand = self._terms.having if having else self._terms.filtered
        return Conditions(
            query=self._query, values=self._values, today=self._today, operand=operand, subquery=self._semi_join
        )  # fmt: skip

    def _check_limits(self, tree: Query) -> None:
        if tree.offset is not None and tree.offset > _MAX_OFFSET:
            raise Refusal(400, "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
        wide = [item.term for item in tree.items if isinstance(item.term, Fields) and item.term.group != "STANDARD"]
        if wide and (tree.limit is None or tree.limit > 200):
            message = "The SOQL FIELDS function must have a LIMIT of at most 200"
            raise complain("MALFORMED_QUERY", self._query, wide[0].position, message)

    # -- what is selected

    def _cells(self, tree: Query, *, aggregate: bool) -> tuple[Cell | Children, ...]:
        cells: list[Cell | Children] = []
        unnamed = 0
        for item in tree.items:
            if aggregate and not isinstance(item.term, (Path, Call)):
                raise complain(
                    "MALFORMED_QUERY", self._query, item.term.position, "Field must be grouped or aggregated"
                )
            if isinstance(item.term, Query):
                cells.append(self._children(item.term))
                continue
            if isinstance(item.term, Fields):
                cells.extend(self._expanded(item.term))
                continue
            cell = self._cell(item, unnamed, aggregate=aggregate)
            if item.alias is None and isinstance(item.term, Call) and item.term.name not in TRANSPARENT:
                unnamed += 1
            if cell.column is None:
                self._terms.aliases[cell.name.lower()] = Operand(sql=cell.sql, type=cell.type, name=cell.name)
            cells.append(cell)
        self._check_duplicates(cells)
        return tuple(cells)

    def _cell(self, item: Item, unnamed: int, *, aggregate: bool) -> Cell:
        term = item.term
        if isinstance(term, Path):
            if aggregate:
                operand = self._terms.selected(term)
                return Cell(name=item.alias or operand.name, sql=operand.sql, type=operand.type)
            column = self._scope.column(term)
            if item.alias:
                message = "only aggregate expressions use field aliasing"
                raise complain("MALFORMED_QUERY", self._query, term.position, message)
            return Cell(name=".".join((*column.steps, column.field.name)), column=column)
        assert isinstance(term, Call)
        operand = self._terms.selected(term)
        if term.name in TRANSPARENT and isinstance(term.argument, Path):
            column = self._scope.column(term.argument)
            return Cell(name=item.alias or column.field.name, column=None if item.alias else column, sql=operand.sql,
                        type=operand.type)  # fmt: skip
        return Cell(name=item.alias or f"expr{unnamed}", sql=operand.sql, type=operand.type)

    def _expanded(self, macro: Fields) -> list[Cell]:
        chosen: list[Field] = [
            each
            for each in self._scope.object.fields
            if macro.group == "ALL" or each.custom == (macro.group == "CUSTOM")
        ]
        return [self._cell(Item(term=Path(parts=(each.name,), position=macro.position)), 0, aggregate=False)
                for each in chosen]  # fmt: skip

    def _check_duplicates(self, cells: list[Cell | Children]) -> None:
        seen: set[str] = set()
        for cell in cells:
            if cell.name.lower() in seen:
                raise Refusal(400, "INVALID_FIELD", f"duplicate field selected: {cell.name}")
            seen.add(cell.name.lower())

    def _children(self, tree: Query) -> Children:
        wanted = tree.object.lower()
        link = next((each for each in self._scope.object.children if (each.name or "").lower() == wanted), None)
        child = self._catalogue.find(link.object) if link else None
        if link is None or child is None or self._depth:
            message = (
                f"Didn't understand relationship '{tree.object}' in FROM part of query call. "
                "If you are attempting to use "
                "a custom relationship, be sure to append the '__r' after the custom relationship name. "
                "Please reference your WSDL or the describe call for the appropriate names."
            )
            raise complain("INVALID_TYPE", self._query, tree.object_position, message)
        plan = self._inner().plan(tree, child)
        if plan.aggregate:
            message = "Aggregate functions are not allowed in a sub-query"
            raise complain("MALFORMED_QUERY", self._query, tree.position, message)
        return Children(name=str(link.name), plan=plan, link=f'{plan.scope.table}."{link.field}"')

    def _inner(self) -> _Planner:
        return _Planner(
            self._query, self._catalogue, self._deleted, self._now, self._today, self._values, self._depth + 1
        )

    def _semi_join(self, tree: Query) -> str:
        plan = self._inner().plan(tree)
        cell = plan.cells[0] if plan.cells else None
        if len(plan.cells) != 1 or not isinstance(cell, Cell) or not cell.column or not cell.column.field.is_id:
            message = "The inner select of a semi-join must select exactly one Id or reference field"
            raise complain("MALFORMED_QUERY", self._query, tree.position, message)
        order = f" ORDER BY {plan.order}" if plan.order and plan.limited else ""
        return f"SELECT {cell.column.sql} FROM {plan.scope.source_sql()} WHERE {plan.where}{order}{plan.tail}"


def _is_aggregate(term: Term | Fields | Query) -> bool:
    return isinstance(term, Call) and term.name in GROUPING


def _position(tree: Query) -> int:
    term = tree.items[0].term
    return term.position

"""The SELECT list of a query: each item to a cell, FIELDS() to many, names checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from include.sandbox.org.refusals import Refusal
from include.sandbox.org.soql.cells import Cell, Children, Kind, Kinds
from include.sandbox.org.soql.complaint import complain
from include.sandbox.org.soql.functions import TRANSPARENT
from include.sandbox.org.soql.operand import Operand
from include.sandbox.org.soql.scope import Scope
from include.sandbox.org.soql.terms import Terms
from include.sandbox.org.soql.tree import Call, Fields, Item, Path, Query, TypeOf

AnyCell = Cell | Children | Kinds


@dataclass(slots=True, kw_only=True)
class Selection:
    """Turn the items of one query into cells."""

    scope: Scope
    terms: Terms
    query: str
    children: Callable[[Query, Query], Children]
    unnamed: int = 0

    def cells(self, tree: Query, *, aggregate: bool) -> tuple[AnyCell, ...]:
        """Return the cells of a query, in the order in which they were written."""
        cells: list[AnyCell] = []
        for item in tree.items:
            match item.term:
                case Query() | TypeOf() | Fields() if aggregate:
                    message = "Field must be grouped or aggregated"
                    raise complain("MALFORMED_QUERY", self.query, item.term.position, message)
                case Query():
                    cells.append(self.children(tree, item.term))
                case TypeOf():
                    cells.append(self._kinds(item.term))
                case Fields():
                    cells.extend(self._expanded(item.term, alone=len(tree.items) == 1))
                case Path():
                    cells.append(self._field(item, item.term, aggregate=aggregate))
                case Call():
                    cells.append(self._function(item, item.term))
        self._check_names(cells, aggregate=aggregate)
        return tuple(cells)

    def _field(self, item: Item, term: Path, *, aggregate: bool) -> Cell:
        if aggregate:
            operand = self.terms.selected(term)
            return self._expression(item.alias or operand.name, operand, title=term.text)
        if item.alias:
            message = "only aggregate expressions use field aliasing"
            raise complain("MALFORMED_QUERY", self.query, term.position, message)
        return self._plain(term)

    def _plain(self, term: Path) -> Cell:
        column = self.scope.column(term)
        return Cell(name=".".join((*column.steps, column.field.name)), column=column, title=term.text)

    def _function(self, item: Item, term: Call) -> Cell:
        operand = self.terms.selected(term)
        steps: tuple[str, ...] = ()
        if item.alias:
            name = item.alias
        elif term.name in TRANSPARENT and isinstance(term.argument, Path):
            column = self.scope.column(term.argument)
            name, steps = column.field.name, column.steps if self.terms.groups is None else ()
        else:
            name = f"expr{self.unnamed}"
            self.unnamed += 1
        return self._expression(name, operand, function=term.name, steps=steps, title=written(term))

    def _expression(self, name: str, operand: Operand, **more: Any) -> Cell:
        """Return a cell whose name HAVING and ORDER BY understand."""
        self.terms.aliases.setdefault(name.lower(), operand)
        return Cell(name=name, sql=operand.sql, type=operand.type, field=operand.field, **more)

    def _expanded(self, macro: Fields, *, alone: bool) -> list[Cell]:
        chosen = [
            each.name
            for each in self.scope.object.fields
            if macro.group == "ALL" or each.custom == (macro.group == "CUSTOM")
        ]
        if not chosen and alone:
            message = f"FIELDS({macro.group}) selects nothing: the object has no such fields"
            raise complain("MALFORMED_QUERY", self.query, macro.position, message)
        return [self._plain(Path(parts=(name,), position=macro.position)) for name in chosen]

    def _kinds(self, term: TypeOf) -> Kinds:
        start, link = self.scope.polymorphic(term.path)
        kinds = []
        for branch in term.branches:
            target = self.scope.catalogue.find(branch.object) if branch.object else None
            if branch.object and (target is None or target.name not in link.parents):
                message = f"'{branch.object}' is not a type of the relationship '{link.relationship}'"
                raise complain("INVALID_TYPE", self.query, branch.position, message)
            parent = self.scope.one_kind(start, link, target)
            columns = [self.scope.column(path, start=parent) for path in branch.paths]
            inside = [each.steps[len(parent.steps) :] for each in columns]
            cells = [
                Cell(name=".".join((*steps, each.field.name)), column=each)
                for each, steps in zip(columns, inside, strict=True)
            ]
            self._check_names(cells, aggregate=False)
            kinds.append(Kind(parent=parent, cells=tuple(cells)))
        return Kinds(name=".".join((*start.steps, str(link.relationship))), kinds=tuple(kinds), steps=start.steps)

    def _check_names(self, cells: list[AnyCell] | list[Cell], *, aggregate: bool) -> None:
        seen: dict[str, AnyCell] = {}
        for cell in cells:
            name = ".".join((*(cell.steps if isinstance(cell, Cell) else ()), cell.name))
            if name.lower() in seen and aggregate:
                raise Refusal(400, "MALFORMED_QUERY", f"duplicate alias: {name}")
            if name.lower() in seen:
                raise Refusal(400, "INVALID_FIELD", f"duplicate field selected: {name}")
            seen[name.lower()] = cell
        for name in (cell.name for cell in cells if isinstance(cell, Kinds)):
            if any(other.startswith(f"{name.lower()}.") for other in seen):
                raise Refusal(400, "MALFORMED_QUERY", f"TYPEOF and a field both select through the relationship {name}")


def written(term: Path | Call) -> str:
    """Return a term about as it was written."""
    if isinstance(term, Path):
        return term.text
    return f"{term.name.lower()}({written(term.argument) if term.argument is not None else ''})"

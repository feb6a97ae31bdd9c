"""What stands in a query's clauses, and whether it may stand there: fields, aggregates, date functions."""

from __future__ import annotations

from dataclasses import dataclass, field

from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import NUMBER_TYPES
from include.sandbox.org.soql.complaint import complain
from include.sandbox.org.soql.conditions import Operand
from include.sandbox.org.soql.scope import Scope
from include.sandbox.org.soql.tree import Call, Order, Term

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
TRANSPARENT = frozenset({"TOLABEL", "CONVERTCURRENCY", "FORMAT", "CONVERTTIMEZONE"})
_DATE_PARTS = {
    "CALENDAR_YEAR": "year", "CALENDAR_MONTH": "month", "CALENDAR_QUARTER": "quarter", "DAY_IN_MONTH": "day",
    "DAY_IN_WEEK": "1 + dayofweek", "DAY_IN_YEAR": "dayofyear", "HOUR_IN_DAY": "hour", "WEEK_IN_YEAR": "week",
    "FISCAL_YEAR": "year", "FISCAL_QUARTER": "quarter", "FISCAL_MONTH": "month",
}  # fmt: skip
GROUPING = AGGREGATES | frozenset(_DATE_PARTS) | {"DAY_ONLY"}


@dataclass(slots=True, kw_only=True)
class Terms:
    """Turn terms of one query into operands; `groups` is None unless the query aggregates."""

    scope: Scope
    groups: set[str] | None = None
    aliases: dict[str, Operand] = field(default_factory=dict)

    def group(self, term: Term) -> Operand:
        """Return what the result is grouped by."""
        if not isinstance(term, Call):
            found = self.scope.column(term).field
            if not found.groupable or not found.filterable or found.type in NUMBER_TYPES:
                raise self._refuse("INVALID_FIELD", term, f"field '{found.name}' can not be grouped in a query call")
        operand = self._operand(term, aggregates=False)
        if self.groups is not None:
            self.groups.add(operand.sql)
        return operand

    def selected(self, term: Term) -> Operand:
        """Return what is selected; beside aggregates, only what is grouped."""
        return self._grouped(term, self._operand(term, aggregates=True))

    def filtered(self, term: Term) -> Operand:
        """Return the left side of a condition in WHERE."""
        if not isinstance(term, Call):
            found = self.scope.column(term).field
            if not found.filterable or found.type == "address":
                raise self._refuse("INVALID_FIELD", term, f"field '{found.name}' can not be filtered in a query call")
        return self._operand(term, aggregates=False)

    def having(self, term: Term) -> Operand:
        """Return the left side of a condition in HAVING."""
        return self._grouped(term, self._named(term) or self._operand(term, aggregates=True))

    def order(self, order: Order) -> str:
        """Return a sort expression; nulls come first in both directions unless asked otherwise."""
        term = order.term
        operand = self._named(term) if self.groups is not None else None
        if operand is None:
            if not isinstance(term, Call):
                found = self.scope.column(term).field
                if not found.filterable or found.type in ("address", "multipicklist"):
                    message = f"field '{found.name}' can not be sorted in a query call"
                    raise self._refuse("INVALID_FIELD", term, message)
            operand = self._grouped(term, self._operand(term, aggregates=self.groups is not None))
        folded = operand.type in ("string", "email", "picklist")
        value = operand.key or (f"lower({operand.sql})" if folded else operand.sql)
        return f"{value} {'DESC' if order.descending else 'ASC'} NULLS {'LAST' if order.nulls_last else 'FIRST'}"

    def _named(self, term: Term) -> Operand | None:
        return None if isinstance(term, Call) else self.aliases.get(term.text.lower())

    def _grouped(self, term: Term, operand: Operand) -> Operand:
        """Refuse what is neither grouped nor aggregated in a query that aggregates."""
        if self.groups is None:
            return operand
        aggregated = isinstance(term, Call) and term.name in AGGREGATES
        if not aggregated and self._named(term) is None and operand.sql not in self.groups:
            raise self._refuse("MALFORMED_QUERY", term, f"Field must be grouped or aggregated: {operand.name}")
        return Operand(sql=operand.sql, type=operand.type, name=operand.name)

    def _operand(self, term: Term, *, aggregates: bool) -> Operand:
        if not isinstance(term, Call):
            column = self.scope.column(term)
            own = column.field.type == "id" and not column.steps
            return Operand(
                sql=column.sql, type=column.field.type, name=column.field.name,
                key=f"{column.table}._n" if own else None, prefix=column.object.prefix,
            )  # fmt: skip
        if term.name in AGGREGATES and not aggregates:
            raise self._refuse("MALFORMED_QUERY", term, f"Aggregate functions are not allowed here: {term.name}")
        if term.argument is None:
            if term.name == "COUNT":
                return Operand(sql="count(*)", type="int", name="COUNT")
            raise self._refuse("MALFORMED_QUERY", term, f"unexpected token: '{term.name}'")
        inner = self._operand(term.argument, aggregates=False)
        if term.name in AGGREGATES:
            return self._aggregated(term, inner)
        if term.name in TRANSPARENT:
            return inner
        return self._date_function(term, inner)

    def _aggregated(self, term: Call, inner: Operand) -> Operand:
        name, number = term.name, inner.type in NUMBER_TYPES or inner.type == "int"
        unordered = inner.type in ("boolean", "address", "multipicklist", "textarea")
        if (name in ("SUM", "AVG") and not number) or (name in ("MIN", "MAX") and unordered) or inner.type == "address":
            message = f"field {inner.name} does not support aggregate operator {name}"
            raise self._refuse("MALFORMED_QUERY", term, message)
        if name in ("COUNT", "COUNT_DISTINCT"):
            distinct = "DISTINCT " if name == "COUNT_DISTINCT" else ""
            return Operand(sql=f"count({distinct}{inner.sql})", type="int", name=inner.name)
        sql = f"{name.lower()}({inner.sql})"
        if name == "AVG":
            return Operand(sql=sql, type="double", name=inner.name)
        if name == "SUM" and inner.type == "int":
            return Operand(sql=f"{sql}::BIGINT", type="int", name=inner.name)
        return Operand(sql=sql, type=inner.type, name=inner.name)

    def _date_function(self, term: Call, inner: Operand) -> Operand:
        if term.name not in GROUPING:
            raise self._refuse("MALFORMED_QUERY", term, f"unexpected token: '{term.name}'")
        needed = ("datetime",) if term.name in ("DAY_ONLY", "HOUR_IN_DAY") else ("date", "datetime")
        if inner.type not in needed:
            raise self._refuse("INVALID_FIELD", term, f"field {inner.name} does not support function {term.name}")
        if term.name == "DAY_ONLY":
            return Operand(sql=f"({inner.sql})::DATE", type="date", name=inner.name)
        return Operand(sql=f"{_DATE_PARTS[term.name]}({inner.sql})", type="int", name=inner.name)

    def _refuse(self, code: str, term: Term, message: str) -> Refusal:
        return complain(code, self.scope.query, term.position, message)

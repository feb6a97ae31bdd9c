"""What stands in a query's clauses, and whether it may stand there: fields, aggregates, date functions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import COMPOUND_TYPES, NUMBER_TYPES, TEXT_TYPES
from include.sandbox.org.soql.complaint import complain
from include.sandbox.org.soql.functions import (
    AGGREGATES,
    DATE_FUNCTIONS,
    OF_TIMES_ALONE,
    TRANSPARENT,
    choice_rank_sql,
    date_sql,
    distance_sql,
    format_sql,
    label_sql,
    zoned_sql,
)  # fmt: skip
from include.sandbox.org.soql.operand import Operand
from include.sandbox.org.soql.reader import Reader
from include.sandbox.org.soql.scope import Scope
from include.sandbox.org.soql.tree import Call, LiteralKind, Order, Path, Term

_UNSORTABLE = ("address", "location", "multipicklist", "encryptedstring", "base64")
_UNFILTERABLE = ("address", "location", "encryptedstring", "base64")
_UNAGGREGATED = ("boolean", "address", "location", "multipicklist", "encryptedstring", "base64", "time")


@dataclass(slots=True, kw_only=True)
class Terms:
    """Turn terms of one query into operands; `groups` is None unless the query aggregates."""

    scope: Scope
    reader: Reader
    groups: dict[str, str] | None = None
    subtotals: bool = False
    aliases: dict[str, Operand] = field(default_factory=dict)

    def group(self, term: Term) -> str:
        """Return what the result is grouped by: text without regard to case."""
        if isinstance(term, Call) and term.name in AGGREGATES:
            raise self._refuse("MALFORMED_QUERY", term, f"Grouped field should not be aggregated: {term.name}")
        if isinstance(term, Path):
            found = self.scope.column(term).field
            if not found.groupable or not found.filterable or found.type in (*NUMBER_TYPES, *COMPOUND_TYPES):
                raise self._refuse("INVALID_FIELD", term, f"field '{found.name}' can not be grouped in a query call")
        operand = self._operand(term, aggregates=False)
        key = operand.folded
        if self.groups is not None:
            self.groups[operand.sql] = key
        return key

    def selected(self, term: Term) -> Operand:
        """Return what is selected; beside aggregates, only what is grouped."""
        operand = self._operand(term, aggregates=True)
        if self.groups is None and isinstance(term, Call) and term.name == "CONVERTTIMEZONE":
            raise self._refuse("MALFORMED_QUERY", term, "convertTimezone() can only be used in a date function")
        return self._grouped(term, operand)

    def filtered(self, term: Term) -> Operand:
        """Return the left side of a condition in WHERE."""
        if isinstance(term, Path):
            found = self.scope.column(term).field
            if not found.filterable or found.type in _UNFILTERABLE:
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
            if isinstance(term, Path):
                found = self.scope.column(term).field
                if not found.filterable or found.type in _UNSORTABLE:
                    message = f"field '{found.name}' can not be sorted in a query call"
                    raise self._refuse("INVALID_FIELD", term, message)
            operand = self._operand(term, aggregates=self.groups is not None)
            operand = self._grouped(term, operand, "Ordered field must be grouped or aggregated")
        direction = f"{'DESC' if order.descending else 'ASC'} NULLS {'LAST' if order.nulls_last else 'FIRST'}"
        if operand.key:
            return f"{operand.key} {direction}"
        if operand.field is not None and operand.field.type == "picklist" and operand.field.picklist:
            rank = f"CASE WHEN {operand.sql} IS NULL THEN NULL ELSE {choice_rank_sql(operand.sql, operand.field)} END"
            return f"{rank} {direction}, upper({operand.sql}) {direction}"
        return f"{f'upper({operand.sql})' if operand.type in TEXT_TYPES else operand.sql} {direction}"

    def _named(self, term: Term) -> Operand | None:
        return None if isinstance(term, Call) else self.aliases.get(term.text.lower())

    def _grouped(self, term: Term, operand: Operand, complaint: str = "Field must be grouped or aggregated") -> Operand:
        """Refuse what is neither grouped nor aggregated in a query that aggregates."""
        if self.groups is None or self._named(term) is operand:
            return operand
        if isinstance(term, Call):
            if term.name in AGGREGATES or term.name == "GROUPING":
                return operand
            if term.name in TRANSPARENT and isinstance(term.argument, Call) and term.argument.name in AGGREGATES:
                return operand
        plain = replace(operand, key=None)
        if operand.sql in self.groups:
            key = self.groups[operand.sql]
            return plain if key == operand.sql else replace(plain, sql=self._one_of_group(operand.sql, key))
        inner = term.argument if isinstance(term, Call) else None
        if isinstance(inner, Path):
            below = self._operand(inner, aggregates=False)
            if below.sql in self.groups and term_is(term, TRANSPARENT) and isinstance(term, Call):
                return self._shown(term, self._grouped(inner, below))
            if below.sql in self.groups and below.type == "date":
                return plain
        name = term.name if isinstance(term, Call) else operand.name
        raise self._refuse("MALFORMED_QUERY", term, f"{complaint}: {name}")

    def _one_of_group(self, sql: str, key: str) -> str:
        return f"CASE WHEN GROUPING({key}) = 1 THEN NULL ELSE min({sql}) END" if self.subtotals else f"min({sql})"

    # -- fields and functions

    def _operand(self, term: Term, *, aggregates: bool) -> Operand:
        if isinstance(term, Path):
            column = self.scope.column(term)
            own = column.field.type == "id" and not column.steps
            return Operand(
                sql=column.sql, type=column.field.type, name=column.field.name, field=column.field,
                key=f"{column.table}._n" if own else None, prefix=column.object.prefix,
            )  # fmt: skip
        if term.name in AGGREGATES:
            if not aggregates:
                raise self._refuse("MALFORMED_QUERY", term, f"Aggregate functions are not allowed here: {term.name}")
            return self._aggregated(term)
        if term.name == "DISTANCE":
            return self._distance(term)
        if term.argument is None or term.more:
            raise self._refuse("MALFORMED_QUERY", term, f"unexpected token: '{term.name}'")
        if term.name == "GROUPING":
            return self._grouping(term, term.argument)
        inner = self._operand(term.argument, aggregates=aggregates)
        if term.name in TRANSPARENT:
            return self._shown(term, inner)
        if term.name == "CONVERTTIMEZONE":
            if inner.type != "datetime":
                message = f"field {inner.name} does not support function convertTimezone"
                raise self._refuse("INVALID_FIELD", term, message)
            return replace(inner, sql=zoned_sql(inner.sql, self.reader))
        return self._date_function(term, inner)

    def _shown(self, term: Call, inner: Operand) -> Operand:
        if term.name == "TOLABEL":
            if inner.field is None or inner.type not in ("picklist", "multipicklist", "combobox", "string"):
                raise self._refuse("INVALID_FIELD", term, f"toLabel is not supported on field '{inner.name}'")
            return replace(inner, sql=label_sql(inner.sql, inner.field), key=None)
        if inner.type in (*COMPOUND_TYPES, "base64", "encryptedstring"):
            raise self._refuse("INVALID_FIELD", term, f"field {inner.name} does not support function {term.name}")
        if term.name == "FORMAT":
            scale = inner.field.scale if inner.field else 2
            sql = format_sql(inner.sql, inner.type, scale, self.reader)
            return Operand(sql=sql, type="string", name=inner.name)
        return replace(inner, key=None)

    def _grouping(self, term: Call, argument: Term) -> Operand:
        inner = self._operand(argument, aggregates=False)
        key = (self.groups or {}).get(inner.sql)
        if key is None or not self.subtotals:
            message = f"Grouping function requires a field of GROUP BY ROLLUP or CUBE: {inner.name}"
            raise self._refuse("MALFORMED_QUERY", term, message)
        return Operand(sql=f"GROUPING({key})", type="int", name=inner.name)

    def _aggregated(self, term: Call) -> Operand:
        if term.argument is None or term.more:
            if term.name == "COUNT" and not term.more:
                return Operand(sql="count(*)", type="int", name="COUNT")
            raise self._refuse("MALFORMED_QUERY", term, f"unexpected token: '{term.name}'")
        inner = self._operand(term.argument, aggregates=False)
        name, number = term.name, inner.type in NUMBER_TYPES or inner.type == "int"
        long_text = inner.field is not None and inner.type == "textarea" and not inner.field.filterable
        if (name in ("SUM", "AVG") and not number) or inner.type in _UNAGGREGATED or long_text:
            message = f"field {inner.name} does not support aggregate operator {name}"
            raise self._refuse("MALFORMED_QUERY", term, message)
        if name in ("COUNT", "COUNT_DISTINCT"):
            distinct = "DISTINCT " if name == "COUNT_DISTINCT" else ""
            value = inner.folded if distinct else inner.sql
            return Operand(sql=f"count({distinct}{value})", type="int", name=inner.name)
        return self._extreme_or_sum(name, inner)

    def _extreme_or_sum(self, name: str, inner: Operand) -> Operand:
        sql = f"{name.lower()}({inner.sql})"
        if name == "AVG":
            return Operand(sql=sql, type="double", name=inner.name)
        if name == "SUM" and inner.type == "int":
            return Operand(sql=f"{sql}::BIGINT", type="int", name=inner.name)
        if name == "SUM" and inner.field is not None:
            sql = inner.field.kept(sql)
        if name in ("MIN", "MAX") and inner.field is not None and inner.type == "picklist" and inner.field.picklist:
            sql = f"arg_{name.lower()}({inner.sql}, {choice_rank_sql(inner.sql, inner.field)})"
        elif name in ("MIN", "MAX") and inner.type in TEXT_TYPES:
            sql = f"arg_{name.lower()}({inner.sql}, upper({inner.sql}))"
        return Operand(sql=sql, type=inner.type, name=inner.name, field=inner.field)

    def _date_function(self, term: Call, inner: Operand) -> Operand:
        if term.name not in DATE_FUNCTIONS:
            raise self._refuse("MALFORMED_QUERY", term, f"unexpected token: '{term.name}'")
        needed = ("datetime",) if term.name in OF_TIMES_ALONE else ("date", "datetime")
        if inner.type not in needed:
            raise self._refuse("INVALID_FIELD", term, f"field {inner.name} does not support function {term.name}")
        kind = "date" if term.name == "DAY_ONLY" else "int"
        return Operand(sql=date_sql(term.name, inner.sql, self.reader), type=kind, name=inner.name, function=term.name)

    def _distance(self, term: Call) -> Operand:
        place, unit = (*term.more, None, None)[:2]
        if not isinstance(term.argument, Path) or not isinstance(place, Call) or place.name != "GEOLOCATION":
            raise self._refuse("MALFORMED_QUERY", term, "unexpected token: 'DISTANCE'")
        numbers = [each for each in place.more if not isinstance(each, Call) and each.kind == LiteralKind.NUMBER]
        if len(numbers) != 2 or place.argument is not None:
            raise self._refuse("MALFORMED_QUERY", place, "unexpected token: 'GEOLOCATION'")
        if unit is None or isinstance(unit, Call) or unit.text.lower() not in ("mi", "km"):
            raise self._refuse("MALFORMED_QUERY", term, "DISTANCE unit must be 'mi' or 'km'")
        column = self.scope.column(term.argument)
        parts = column.coordinates
        if parts is None:
            message = f"field '{column.field.name}' does not support function DISTANCE"
            raise self._refuse("INVALID_FIELD", term, message)
        where = (float(numbers[0].text), float(numbers[1].text))
        if not (-90 <= where[0] <= 90 and -180 <= where[1] <= 180):
            raise self._refuse("MALFORMED_QUERY", place, "GEOLOCATION coordinates are out of range")
        return Operand(sql=distance_sql(*parts, where, unit.text), type="double", name="DISTANCE", function="DISTANCE")

    def _refuse(self, code: str, term: Term, message: str) -> Refusal:
        return complain(code, self.scope.query, term.position, message)


def term_is(term: Term, names: frozenset[str]) -> bool:
    """Say whether a term is one of these functions."""
    return isinstance(term, Call) and term.name in names

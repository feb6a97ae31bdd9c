"""Conditions of SOQL to SQL, with Salesforce's ideas of null, case and time.

Three-valued logic stays inside: a condition that is null counts as false, so only the operand of NOT has to be made
two-valued; the plain form lets the engine skip blocks of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from include.sandbox.org.ids import canonical, number_of
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import NUMBER_TYPES, TEXT_TYPES
from include.sandbox.org.soql.complaint import complain
from include.sandbox.org.soql.dates import relative_range
from include.sandbox.org.soql.tree import (
    Among,
    Compare,
    Condition,
    Includes,
    Joined,
    Literal,
    LiteralKind,
    Not,
    Query,
    Term,
)  # fmt: skip

_TYPE_WORDS = {"datetime": "dateTime", "int": "int", "boolean": "boolean", "date": "date"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """Hold the left side of a condition; `key` is the number column if it is the record's own Id."""

    sql: str
    type: str
    name: str
    key: str | None = None
    prefix: str = ""


@dataclass(slots=True, kw_only=True)
class Values:
    """Collect the values that are bound to a statement."""

    bound: list[Any] = field(default_factory=list)

    def add(self, value: Any) -> str:
        """Bind a value and return its placeholder."""
        self.bound.append(value)
        return f"${len(self.bound)}"


@dataclass(slots=True, kw_only=True)
class Conditions:
    """Compile the conditions of one query."""

    query: str
    values: Values
    today: date
    operand: Callable[[Term], Operand]
    subquery: Callable[[Query], str]

    def sql(self, condition: Condition) -> str:
        """Return the SQL of a condition."""
        match condition:
            case Joined(word=word, parts=parts):
                return "(" + f" {word} ".join(self.sql(part) for part in parts) + ")"
            case Not(inner=inner):
                return f"NOT coalesce({self.sql(inner)}, FALSE)"
            case Compare():
                return self._compare(condition)
            case Among():
                return self._among(condition)
            case Includes():
                return self._includes(condition)

    # -- one field, one value

    def _compare(self, condition: Compare) -> str:
        left, op, value = self.operand(condition.left), condition.op, condition.value
        if value.kind == LiteralKind.NULL or (value.kind == LiteralKind.TEXT and not value.text and op in ("=", "!=")):
            return self._null(left, op, value)
        if op == "LIKE":
            return self._like(left, value)
        if left.type in ("date", "datetime") and value.kind == LiteralKind.RELATIVE:
            return self._relative(left, op, value)
        if left.key and value.kind == LiteralKind.TEXT:
            own = self._own_id(left, op, value)
            if own is not None:
                return own
        right = self._bound(left, value)
        left_sql = f"lower({left.sql})" if left.type in TEXT_TYPES else left.sql
        return f"{left_sql} IS DISTINCT FROM {right}" if op == "!=" else f"{left_sql} {op} {right}"

    def _null(self, left: Operand, op: str, value: Literal) -> str:
        if op not in ("=", "!="):
            raise complain(
                "INVALID_QUERY_FILTER_OPERATOR", self.query, value.position, "null must be used with = or !="
            )
        return f"{left.sql} IS {'NOT ' if op == '!=' else ''}NULL"

    def _like(self, left: Operand, value: Literal) -> str:
        if left.type not in TEXT_TYPES or left.type == "multipicklist":
            kind = "id" if left.type in ("id", "reference") else left.type
            message = f"invalid operator on {kind} field"
            raise complain("INVALID_QUERY_FILTER_OPERATOR", self.query, value.position, message)
        if value.kind != LiteralKind.TEXT:
            raise self._wrong_type(left, value)
        return f"{left.sql} ILIKE {self.values.add(value.pattern)} ESCAPE '\\'"

    def _own_id(self, left: Operand, op: str, value: Literal) -> str | None:
        right = self._id(value)
        number = number_of(right)
        if number is None or right[:3] != left.prefix:
            return None
        return f"{left.key} {op} {self.values.add(number)}"

    def _relative(self, left: Operand, op: str, value: Literal) -> str:
        if left.type not in ("date", "datetime"):
            raise self._wrong_type(left, value)
        try:
            days = relative_range(value.text, value.count, self.today)
        except (OverflowError, ValueError):
            days = None  # beyond the calendar
        if days is None:
            raise complain("MALFORMED_QUERY", self.query, value.position, f"unexpected token: '{value.text}'")
        if left.type == "datetime":
            low, high = (datetime.combine(day, time()) for day in days)
            first, after = self.values.add(low), self.values.add(high)
        else:
            first, after = self.values.add(days[0]), self.values.add(days[1])
        inside = f"({left.sql} >= {first} AND {left.sql} < {after})"
        match op:
            case "=":
                return inside
            case "!=":
                return f"NOT coalesce({inside}, FALSE)"
            case "<" | ">=":
                return f"({left.sql} {op} {first})"
        turned = "<" if op == "<=" else ">="
        return f"({left.sql} {turned} {after})"

    # -- one field, several values

    def _among(self, condition: Among) -> str:
        left = self.operand(condition.left)
        if condition.query is not None:
            inside = f"{left.sql} IN ({self.subquery(condition.query)})"
            return f"NOT coalesce({inside}, FALSE)" if condition.negated else inside
        values = [each for each in condition.values if each.kind != LiteralKind.NULL]
        with_null = len(values) < len(condition.values)
        tests = [self._equals_any(left, values)] if values else []
        if with_null:
            tests.append(f"{left.sql} IS NULL")
        inside = "(" + " OR ".join(tests) + ")"
        return f"NOT coalesce({inside}, FALSE)" if condition.negated else inside

    def _equals_any(self, left: Operand, values: list[Literal]) -> str:
        if any(each.kind == LiteralKind.RELATIVE for each in values):
            return "(" + " OR ".join(self._relative(left, "=", each) for each in values) + ")"
        if left.key:
            numbers = [number_of(self._id(each)) for each in values if self._id(each)[:3] == left.prefix]
            known = [self.values.add(each) for each in numbers if each is not None]
            return f"{left.key} IN ({', '.join(known)})" if known else "FALSE"
        left_sql = f"lower({left.sql})" if left.type in TEXT_TYPES else left.sql
        return f"{left_sql} IN ({', '.join(self._bound(left, each) for each in values)})"

    def _includes(self, condition: Includes) -> str:
        left = self.operand(condition.left)
        if left.type != "multipicklist":
            word = "EXCLUDES" if condition.negated else "INCLUDES"
            message = f"{word} operator is only valid on multi-select picklist field"
            raise complain("INVALID_QUERY_FILTER_OPERATOR", self.query, condition.values[0].position, message)
        choices = f"string_split(lower({left.sql}), ';')"
        tests = []
        for value in condition.values:
            wanted = [self.values.add(each.strip().lower()) for each in value.text.split(";")]
            tests.append("(" + " AND ".join(f"list_contains({choices}, {each})" for each in wanted) + ")")
        inside = "(" + " OR ".join(tests) + ")"
        return f"NOT coalesce({inside}, FALSE)" if condition.negated else inside

    # -- values

    def _bound(self, left: Operand, value: Literal) -> str:
        kind = left.type
        if kind in TEXT_TYPES and value.kind == LiteralKind.TEXT:
            return f"lower({self.values.add(value.text)})"
        if kind in ("id", "reference") and value.kind == LiteralKind.TEXT:
            return self.values.add(self._id(value))
        if kind == "boolean" and value.kind == LiteralKind.BOOLEAN:
            return self.values.add(value.text == "TRUE")
        if (kind in NUMBER_TYPES or kind == "int") and value.kind == LiteralKind.NUMBER:
            return self.values.add(float(value.text))
        if kind == "date" and value.kind == LiteralKind.DATE:
            return self.values.add(self._moment(value).date())
        if kind == "datetime" and value.kind == LiteralKind.DATETIME:
            return self.values.add(self._moment(value))
        raise self._wrong_type(left, value)

    def _id(self, value: Literal) -> str:
        right = canonical(value.text)
        if right is None:
            message = f"invalid ID field: {value.text}"
            raise complain("INVALID_QUERY_FILTER_OPERATOR", self.query, value.position, message)
        return right

    def _moment(self, value: Literal) -> datetime:
        try:
            moment = datetime.fromisoformat(value.text.replace("Z", "+00:00"))
        except ValueError as error:
            message = f"Invalid date: {value.text}"
            raise complain("INVALID_FIELD", self.query, value.position, message) from error
        if not 1700 <= moment.year <= 4000:
            raise complain("INVALID_FIELD", self.query, value.position, f"Invalid date: {value.text}")
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment

    def _wrong_type(self, left: Operand, value: Literal) -> Refusal:
        quoted = value.kind == LiteralKind.TEXT
        kind = "string" if left.type in TEXT_TYPES else "id" if left.type == "reference" else left.type
        kind = "double" if kind in NUMBER_TYPES else _TYPE_WORDS.get(kind, kind)
        rest = " and should not be enclosed in quotes" if quoted else ""
        if kind == "string":
            rest = " and should be enclosed in quotes"
        message = f"value of filter criterion for field '{left.name}' must be of type {kind}{rest}"
        return complain("INVALID_FIELD", self.query, value.position, message)

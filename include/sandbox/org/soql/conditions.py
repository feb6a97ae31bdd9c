"""Conditions of SOQL to SQL, with Salesforce's ideas of null, case and time.

Three-valued logic stays inside: a condition that is null counts as false, so only the operand of NOT has to be made
two-valued; the plain form lets the engine skip blocks of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from datetime import time as clock_time
from typing import Any

from include.sandbox.org.ids import canonical, number_of
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import NUMBER_TYPES, TEXT_TYPES
from include.sandbox.org.soql.complaint import complain
from include.sandbox.org.soql.dates import relative_range
from include.sandbox.org.soql.operand import Operand
from include.sandbox.org.soql.reader import Reader
from include.sandbox.org.soql.tree import (
    Among,
    Compare,
    Condition,
    Includes,
    Joined,
    Literal,
    LiteralKind,
    Not,
    Term,
)  # fmt: skip

_TYPE_WORDS = {"datetime": "dateTime", "reference": "id", "double": "double", "currency": "double",
               "percent": "double", **dict.fromkeys(TEXT_TYPES, "string")}  # fmt: skip
_LONGEST_TEXT = 4000


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
    reader: Reader
    operand: Callable[[Term], Operand]
    semi_join: Callable[[Among, Operand], str]

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
        if left.function:
            self._check_function(left, op, value)
        if op == "LIKE":
            return self._like(left, value)
        if left.type == "boolean" and op not in ("=", "!="):
            raise self._wrong_operator(left, value)
        if left.type in ("date", "datetime") and value.kind == LiteralKind.RELATIVE:
            return self._relative(left, op, value)
        if left.key and value.kind == LiteralKind.TEXT:
            own = self._own_id(left, op, value)
            if own is not None:
                return own
        right = self._bound(left, value)
        left_sql = left.folded
        return f"{left_sql} IS DISTINCT FROM {right}" if op == "!=" else f"{left_sql} {op} {right}"

    def _null(self, left: Operand, op: str, value: Literal) -> str:
        if op not in ("=", "!="):
            raise complain(
                "INVALID_QUERY_FILTER_OPERATOR", self.query, value.position, "null must be used with = or !="
            )
        return f"{left.sql} IS {'NOT ' if op == '!=' else ''}NULL"

    def _like(self, left: Operand, value: Literal) -> str:
        if left.type not in TEXT_TYPES or left.type == "multipicklist":
            raise self._wrong_operator(left, value)
        if value.kind != LiteralKind.TEXT:
            raise self._wrong_type(left, value)
        return f"{left.sql} ILIKE {self.values.add(value.pattern)} ESCAPE '\\'"

    def _wrong_operator(self, left: Operand, value: Literal) -> Refusal:
        kind = "id" if left.type in ("id", "reference") else left.type
        message = f"invalid operator on {kind} field"
        return complain("INVALID_QUERY_FILTER_OPERATOR", self.query, value.position, message)

    def _check_function(self, left: Operand, op: str, value: Literal) -> None:
        if value.kind == LiteralKind.RELATIVE:
            raise self._wrong_type(left, value)
        if left.function == "DISTANCE" and op not in ("<", ">"):
            message = "DISTANCE supports only the operators < and >"
            raise complain("INVALID_QUERY_FILTER_OPERATOR", self.query, value.position, message)

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
            days = relative_range(
                value.text, value.count, self.reader.today, sunday=self.reader.week_begins_on_sunday,
                fiscal_month=self.reader.fiscal_month,
            )  # fmt: skip
            moments = tuple(self.reader.midnight(day) for day in days or ())
        except (OverflowError, ValueError):
            days = None  # beyond the calendar
        if days is None:
            raise complain("MALFORMED_QUERY", self.query, value.position, f"unexpected token: '{value.text}'")
        if left.type == "datetime":
            first, after = (self.values.add(each) for each in moments)
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
            inside = f"{left.sql} IN ({self.semi_join(condition, left)})"
            return f"NOT coalesce({inside}, FALSE)" if condition.negated else inside
        values = [each for each in condition.values if not self._is_null(left, each)]
        with_null = len(values) < len(condition.values)
        tests = [self._equals_any(left, values)] if values else []
        if with_null:
            tests.append(f"{left.sql} IS NULL")
        inside = "(" + " OR ".join(tests) + ")"
        return f"NOT coalesce({inside}, FALSE)" if condition.negated else inside

    def _is_null(self, left: Operand, value: Literal) -> bool:
        empty = value.kind == LiteralKind.TEXT and not value.text and left.type in TEXT_TYPES
        return value.kind == LiteralKind.NULL or empty

    def _equals_any(self, left: Operand, values: list[Literal]) -> str:
        if any(each.kind == LiteralKind.RELATIVE for each in values):
            return "(" + " OR ".join(self._relative(left, "=", each) for each in values) + ")"
        if left.key:
            numbers = [number_of(self._id(each)) for each in values if self._id(each)[:3] == left.prefix]
            known = [self.values.add(each) for each in numbers if each is not None]
            return f"{left.key} IN ({', '.join(known)})" if known else "FALSE"
        return f"{left.folded} IN ({', '.join(self._bound(left, each) for each in values)})"

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
        match left.type, value.kind:
            case kind, LiteralKind.TEXT if kind in TEXT_TYPES:
                return self._text(left, value)
            case (("id" | "reference"), LiteralKind.TEXT):
                return self.values.add(self._id(value))
            case "boolean", LiteralKind.BOOLEAN:
                return self.values.add(value.text == "TRUE")
            case kind, LiteralKind.NUMBER if kind in NUMBER_TYPES or kind == "int":
                return self.values.add(float(value.text))
            case "date", LiteralKind.DATE:
                return self.values.add(self._moment(value).date())
            case "datetime", LiteralKind.DATETIME:
                return self.values.add(self._moment(value))
            case "time", LiteralKind.TIME:
                return self.values.add(self._clock(value))
        raise self._wrong_type(left, value)

    def _text(self, left: Operand, value: Literal) -> str:
        if len(value.text) > _LONGEST_TEXT:
            message = f"Maximum length of a string in a WHERE clause is {_LONGEST_TEXT} characters"
            raise complain("INVALID_QUERY_FILTER_OPERATOR", self.query, value.position, message)
        bound = self.values.add(value.text)
        return bound if left.folded == left.sql else f"lower({bound})"

    def _clock(self, value: Literal) -> clock_time:
        try:
            return clock_time.fromisoformat(value.text.rstrip("Z"))
        except ValueError as error:
            raise complain("INVALID_FIELD", self.query, value.position, f"Invalid time: {value.text}") from error

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
        kind = _TYPE_WORDS.get(left.type, left.type)
        rest = "should be enclosed in quotes" if kind in ("string", "id") else "should not be enclosed in quotes"
        message = f"value of filter criterion for field '{left.name}' must be of type {kind} and {rest}"
        return complain("INVALID_FIELD", self.query, value.position, message)

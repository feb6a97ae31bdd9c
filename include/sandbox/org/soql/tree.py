"""The tree of a parsed query: plain values, no opinion about objects and fields."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LiteralKind(StrEnum):
    """Say what kind of literal a value is."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    DATE = "date"
    DATETIME = "datetime"
    RELATIVE = "relative"  # TODAY, LAST_N_DAYS:7 …


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """Hold a value as written; `pattern` is the text as LIKE reads it."""

    kind: LiteralKind
    text: str
    position: int
    pattern: str = ""
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """Name a field, through parents if there are dots."""

    parts: tuple[str, ...]
    position: int

    @property
    def text(self) -> str:
        """Return the path as it was written."""
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Apply a function: an aggregate, a date function, toLabel, FORMAT."""

    name: str
    argument: Path | Call | None
    position: int


Term = Path | Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Stand for FIELDS(ALL), FIELDS(STANDARD) or FIELDS(CUSTOM)."""

    group: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Hold one thing that is selected."""

    term: Term | Fields | Query
    alias: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compare:
    """Compare a field with a value; `op` is one of = != < <= > >= LIKE."""

    left: Term
    op: str
    value: Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """Test whether a field is IN values or IN the result of another query."""

    left: Term
    negated: bool
    values: tuple[Literal, ...] = ()
    query: Query | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Includes:
    """Test a multi-select picklist; each value may ask for several choices at once."""

    left: Term
    negated: bool
    values: tuple[Literal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """Negate a condition."""

    inner: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Join conditions by AND or by OR."""

    word: str
    parts: tuple[Condition, ...]


Condition = Compare | Among | Includes | Not | Joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Sort by a term."""

    term: Term
    descending: bool = False
    nulls_last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Hold a whole query."""

    text: str
    items: tuple[Item, ...]
    object: str
    object_position: int
    alias: str | None = None
    where: Condition | None = None
    groups: tuple[Term, ...] = ()
    having: Condition | None = None
    orders: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None
    position: int = 0

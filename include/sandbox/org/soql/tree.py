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
    TIME = "time"
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
    """Apply a function: an aggregate, a date function, toLabel, FORMAT, DISTANCE; `more` follows the first argument."""

    name: str
    argument: Path | Call | None
    position: int
    more: tuple[Literal | Call, ...] = ()


Term = Path | Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Stand for FIELDS(ALL), FIELDS(STANDARD) or FIELDS(CUSTOM)."""

    group: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Hold the fields that TYPEOF selects of one kind of parent; `object` is empty for ELSE."""

    object: str
    position: int
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeOf:
    """Select other fields for each kind of a polymorphic parent."""

    path: Path
    branches: tuple[When, ...]
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Hold one thing that is selected."""

    term: Term | Fields | TypeOf | Query
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
    above: tuple[str, ...] = ()  # what stands before the dot in FROM: the outer object or its alias
    alias: str | None = None
    aliases: tuple[tuple[str, Path], ...] = ()  # further names in FROM: c.Account a
    using: str | None = None
    where: Condition | None = None
    groups: tuple[Term, ...] = ()
    subtotals: str = ""  # ROLLUP or CUBE
    having: Condition | None = None
    orders: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int | None = None
    purposes: tuple[str, ...] = ()  # FOR VIEW, REFERENCE, UPDATE
    position: int = 0

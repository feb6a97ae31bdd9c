"""What a plan selects: fields, expressions, records below, and parents of several kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.sandbox.org.schema.field import Field, SObject
from include.sandbox.org.soql.scope import Column, Parent

if TYPE_CHECKING:
    from include.sandbox.org.soql.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Hold one selected value: a field, or an expression under a name; `steps` lead to the parent it stands in."""

    name: str
    column: Column | None = None
    sql: str = ""
    type: str = ""
    title: str = ""  # as it was written
    field: Field | None = None  # what a grouped or shown value is taken from
    function: str = ""
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Children:
    """Hold a sub-query for the records below each record."""

    name: str
    plan: Plan
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Hold what is selected of one kind of parent."""

    parent: Parent
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """Hold a TYPEOF: the parent is shown as the first kind that it is, and as null if it is none."""

    name: str
    kinds: tuple[Kind, ...]
    steps: tuple[str, ...] = ()

    @property
    def objects(self) -> tuple[SObject, ...]:
        """Return the objects of its branches."""
        return tuple(each.parent.object for each in self.kinds)

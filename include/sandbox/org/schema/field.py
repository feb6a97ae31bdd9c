"""Fields and objects as values; small constructors keep the catalogue readable."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

TEXT_TYPES = frozenset({"string", "textarea", "picklist", "multipicklist", "combobox", "email", "phone", "url"})
_EXACT = 15  # places after the point, from which on a double is no number of cents any more
COMPOUND_TYPES = frozenset({"address", "location"})
NUMBER_TYPES = frozenset({"double", "currency", "percent"})
ACCURACIES = (
    "Address", "NearAddress", "Block", "Street", "ExtendedZip", "Zip", "Neighborhood", "City", "County", "State",
    "Unknown",
)  # fmt: skip
SQL_TYPES = {
    "boolean": "BOOLEAN",
    "int": "BIGINT",
    "double": "DOUBLE",
    "currency": "DOUBLE",
    "percent": "DOUBLE",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "time": "TIME",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Describe one field of an object: what describe says of it, and how the store finds its value.

    `formula` is SQL over the row's columns, with `{t}` for the table; such a field has no column.
    """

    name: str
    label: str
    type: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    required: bool = False
    createable: bool = True
    updateable: bool = True
    filterable: bool = True
    groupable: bool = True
    unique: bool = False
    external_id: bool = False
    id_lookup: bool = False
    name_field: bool = False
    default: Any = None
    compound: str | None = None
    extra_type: str | None = None
    parents: tuple[str, ...] = ()
    relationship: str | None = None
    picklist: tuple[str, ...] = ()
    inactive: tuple[str, ...] = ()  # picklist values that records may still have, but nobody can choose
    value_labels: tuple[tuple[str, str], ...] = ()  # picklist values whose label is another text
    restricted: bool = False
    controller: str | None = None  # the field that a dependent picklist depends on
    formula: str | None = None
    formula_text: str | None = None
    help: str | None = None
    case_sensitive: bool = False  # values of a unique field may differ by case alone
    auto_number: bool = False
    html: bool = False  # rich text
    summary: bool = False  # a roll-up over child records
    master: bool = False  # a reference to the record that this one lives and dies with
    mask: str | None = None  # what of an encrypted text is hidden

    @property
    def custom(self) -> bool:
        """Say whether an administrator made the field."""
        return self.name.endswith(("__c", "__s"))

    @property
    def stored(self) -> bool:
        """Say whether the field has a column of its own."""
        return self.formula is None and self.type not in COMPOUND_TYPES

    @property
    def sql_type(self) -> str:
        """Return the column type in the store."""
        return SQL_TYPES.get(self.type, "VARCHAR")

    def kept(self, sql: str) -> str:
        """Return an SQL number as the field keeps it: without the noise of binary fractions, and no zero below zero."""
        return f"(round({sql}, {self.scale}) + 0.0)" if self.sql_type == "DOUBLE" and self.scale < _EXACT else sql

    @property
    def is_id(self) -> bool:
        """Say whether values are record Ids, which compare by exact spelling."""
        return self.type in ("id", "reference")

    @property
    def is_text(self) -> bool:
        """Say whether values are text, which compares without regard to case."""
        return self.type in TEXT_TYPES


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildLink:
    """Describe how records of another object hang below an object."""

    object: str
    field: str
    name: str | None
    cascade: bool = False  # children are deleted with their parent


@dataclass(frozen=True, slots=True, kw_only=True)
class SObject:
    """Describe one object: its names, its key prefix, its fields in the org's order."""

    name: str
    label: str
    plural: str
    prefix: str
    fields: tuple[Field, ...]
    deletable: bool = True
    undeletable: bool = True
    createable: bool = True
    mergeable: bool = False
    children: tuple[ChildLink, ...] = ()
    by_name: dict[str, Field] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.by_name.update({each.name.lower(): each for each in self.fields})

    def field(self, name: str) -> Field | None:
        """Return the field of this API name in any spelling of case, or None."""
        return self.by_name.get(name.lower())

    def parent_field(self, relationship: str) -> Field | None:
        """Return the reference field behind a relationship name, or None."""
        wanted = relationship.lower()
        return next((each for each in self.fields if each.relationship and each.relationship.lower() == wanted), None)

    @property
    def columns(self) -> tuple[Field, ...]:
        """Return the fields that have a column."""
        return tuple(each for each in self.fields if each.stored)


def text(name: str, label: str, length: int, **more: Any) -> Field:
    """Return a text field."""
    return Field(name=name, label=label, type="string", length=length, **more)


def pick(name: str, label: str, values: tuple[str, ...], **more: Any) -> Field:
    """Return a picklist field."""
    return Field(name=name, label=label, type="picklist", length=255, picklist=values, **more)


def reference(name: str, label: str, *parents: str, **more: Any) -> Field:
    """Return a reference to a record of one of these objects."""
    relationship = more.pop("relationship", name.removesuffix("Id"))
    return Field(
        name=name, label=label, type="reference", length=18, parents=parents, relationship=relationship, **more
    )


def number(name: str, label: str, kind: str = "double", precision: int = 18, scale: int = 0, **more: Any) -> Field:
    """Return a number: double, currency, percent or int."""
    return Field(name=name, label=label, type=kind, precision=precision, scale=scale, **more)


def flag(name: str, label: str, **more: Any) -> Field:
    """Return a checkbox, which is never null."""
    return Field(name=name, label=label, type="boolean", default=more.pop("default", False), **more)


def plain(name: str, label: str, kind: str, length: int = 0, **more: Any) -> Field:
    """Return a field of any other type: date, datetime, email, phone, url, textarea."""
    return Field(name=name, label=label, type=kind, length=length, **more)


def long_text(name: str, label: str, length: int = 32000, **more: Any) -> Field:
    """Return a long text area, which can be neither filtered nor sorted nor grouped."""
    return Field(name=name, label=label, type="textarea", length=length, filterable=False, groupable=False, **more)


def readonly(each: Field, **more: Any) -> Field:
    """Return the field as one that only the platform sets."""
    return replace(each, createable=False, updateable=False, **more)


def address(prefix: str, label: str) -> tuple[Field, ...]:
    """Return the parts of an address and the compound field over them; a lead's has no prefix."""
    name = f"{prefix}Address"
    label = f"{label} " if label else ""
    return (
        plain(f"{prefix}Street", f"{label}Street", "textarea", 255, compound=name),
        text(f"{prefix}City", f"{label}City", 40, compound=name),
        text(f"{prefix}State", f"{label}State/Province", 80, compound=name),
        text(f"{prefix}PostalCode", f"{label}Zip/Postal Code", 20, compound=name),
        text(f"{prefix}Country", f"{label}Country", 80, compound=name),
        number(f"{prefix}Latitude", f"{label}Latitude", "double", 18, 15, compound=name),
        number(f"{prefix}Longitude", f"{label}Longitude", "double", 18, 15, compound=name),
        pick(f"{prefix}GeocodeAccuracy", f"{label}Geocode Accuracy", ACCURACIES, restricted=True, compound=name),
        readonly(plain(name, f"{label}Address", "address", groupable=False)),
    )

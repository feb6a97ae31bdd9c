"""Ask the org what its objects and fields are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.records import Describe, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSummary:
    """Hold one line of the org's list of objects."""

    name: str
    label: str
    key_prefix: str | None
    custom: bool
    queryable: bool
    replicateable: bool


def read_describe(described: Mapping[str, Any], last_modified: str | None) -> Describe:
    """Return what a describe answer says; pure. `picklist` holds the active values only."""
    return Describe(
        object=described["name"],
        label=described.get("label") or described["name"],
        key_prefix=described.get("keyPrefix"),
        fields=tuple(_read_field(each) for each in described["fields"]),
        replicateable=bool(described.get("replicateable", True)),
        queryable=bool(described.get("queryable", True)),
        last_modified=last_modified,
    )


def _read_field(described: Mapping[str, Any]) -> Field:
    return Field(
        name=described["name"],
        label=described.get("label") or described["name"],
        type=described["type"],
        length=described.get("length") or 0,
        precision=described.get("precision") or 0,
        scale=described.get("scale") or 0,
        nillable=bool(described.get("nillable", True)),
        calculated=bool(described.get("calculated", False)),
        custom=bool(described.get("custom", False)),
        filterable=bool(described.get("filterable", True)),
        compound=described.get("compoundFieldName"),
        reference_to=tuple(described.get("referenceTo") or ()),
        picklist=tuple(each["value"] for each in described.get("picklistValues") or () if each.get("active", True)),
    )

"""Ask the org what its objects and fields are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.records import Describe, Field
from include.salesforce.rest import Call, Rest
from include.salesforce.soql import name


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSummary:
    """Hold one line of the org's list of objects."""

    name: str
    label: str
    key_prefix: str | None
    custom: bool
    queryable: bool
    replicateable: bool


def describe(rest: Rest, object: str, *, if_modified_since: str | None) -> Describe | None:
    """Return the description of `object`, or None when it did not change since."""
    headers = {"If-Modified-Since": if_modified_since} if if_modified_since else {}
    call = Call(
        path=rest.versioned(describe_tail(object)),
        doing=f"describe {object}",
        purpose="describe",
        object=object,
        headers=headers,
        also_fine=frozenset({304}),
    )
    reply = rest.call(call)
    if reply.status == 304:
        return None
    return read_describe(rest.parsed(call, reply), reply.headers.get("last-modified"))


def list_objects(rest: Rest) -> tuple[ObjectSummary, ...]:
    """Return every object that the user can see."""
    listed = rest.read_object("sobjects", doing="list the objects", purpose="describe")
    return tuple(
        ObjectSummary(
            name=each["name"],
            label=each.get("label") or each["name"],
            key_prefix=each.get("keyPrefix"),
            custom=bool(each.get("custom", False)),
            queryable=bool(each.get("queryable", True)),
            replicateable=bool(each.get("replicateable", True)),
        )
        for each in listed["sobjects"]
    )


def describe_tail(object: str) -> str:
    """Return the path of a describe below the API version."""
    return f"sobjects/{name(object)}/describe"


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

"""Records between XML and the rows of the other APIs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.soap.dialects import Dialect
from include.sandbox.org.soap.faults import SoapFault
from include.sandbox.org.soap.nodes import Node
from include.sandbox.org.soap.render import Rendered, element, nil, text

_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})\+0000")
_ADDRESS = ("latitude", "longitude", "city", "country", "countryCode", "geocodeAccuracy", "postalCode", "state",
            "stateCode", "street")  # fmt: skip
_GENERIC = "sObject"


def read_record(node: Node) -> tuple[str, dict[str, Any]]:
    """Return the object that a record is of, and its values by field name; texts stay texts."""
    declared = node.type if node.type != _GENERIC else ""
    kind = (node.value("type") or declared).strip()
    if not kind:
        raise SoapFault("INVALID_TYPE", "Must send a concrete entity type.")
    row: dict[str, Any] = {}
    for each in node.children:
        if each.name == "type" and not declared:
            continue
        if each.name == "fieldsToNull":
            row[each.text.strip()] = None
        elif each.children:
            row[each.name] = _parent(each)
        elif not each.nil and not (each.name == "Id" and not each.text):
            row[each.name] = each.text
    return kind, row


def _parent(node: Node) -> dict[str, Any]:
    """Return a record that a record points to by an external Id."""
    kind, row = read_record(node)
    return {"attributes": {"type": kind}, **row}


def record_xml(catalogue: Catalogue, dialect: Dialect, record: Mapping[str, Any], name: str) -> Rendered:
    """Return a record of the REST API as XML; the Partner API tells the Id twice if it was asked for."""
    kind = str(record["attributes"]["type"])
    inside = []
    if not dialect.typed:
        inside.append(element("sf:type", text(kind)))
        inside.append(_value("sf:Id", record.get("Id"), ""))
    target = catalogue.find(kind)
    for field_name, value in record.items():
        if field_name == "attributes":
            continue
        field = target.field(field_name) if target is not None else None
        if isinstance(value, dict):
            inside.append(_nested(catalogue, dialect, f"sf:{field_name}", value))
        elif target is None:
            inside.append(_computed(f"sf:{field_name}", value))
        else:
            inside.append(_value(f"sf:{field_name}", value, field.type if field else ""))
    return Rendered(element(name, "".join(inside), xsi_type=f"sf:{kind if dialect.typed else _GENERIC}"))


def query_result(catalogue: Catalogue, dialect: Dialect, answer: Mapping[str, Any], name: str = "result") -> Rendered:
    """Return a page of the REST API as a QueryResult."""
    following = str(answer.get("nextRecordsUrl") or "").rpartition("/")[2]
    records = "".join(record_xml(catalogue, dialect, each, "records") for each in answer["records"])
    return Rendered(
        element(
            name,
            element("done", text(answer["done"])) + _value("queryLocator", following or None, "")
            + records + element("size", text(answer["totalSize"])),
            xsi_type="QueryResult",
        )
    )  # fmt: skip


def _nested(catalogue: Catalogue, dialect: Dialect, name: str, value: Mapping[str, Any]) -> str:
    if "records" in value:
        return query_result(catalogue, dialect, value, name)
    if "attributes" in value:
        return record_xml(catalogue, dialect, value, name)
    parts = "".join(_value(part, value.get(part), "") for part in _ADDRESS if part in value or len(value) > 2)
    return element(name, parts, xsi_type="address" if len(value) > 2 else "location")


def _value(name: str, value: Any, kind: str) -> str:
    if value is None:
        return nil(name)
    if kind == "datetime":
        value = _STAMP.sub(r"\1Z", str(value))
    return element(name, text(value))


def _computed(name: str, value: Any) -> str:
    """Return a value of an aggregate, which says what type it has: no field does."""
    if value is None:
        return nil(name)
    if isinstance(value, str) and _STAMP.fullmatch(value):
        return element(name, _STAMP.sub(r"\1Z", value), xsi_type="xsd:dateTime")
    kinds = {bool: "boolean", int: "int", float: "double"}
    return element(name, text(value), xsi_type=f"xsd:{kinds.get(type(value), 'string')}")

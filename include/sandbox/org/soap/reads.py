"""The operations that read: queries, records by Id, describe, what changed and what was deleted."""

from __future__ import annotations

import re
from typing import Any

from include.sandbox.org.ids import canonical
from include.sandbox.org.soap.asked import Asked
from include.sandbox.org.soap.faults import SoapFault
from include.sandbox.org.soap.records import query_result, record_xml
from include.sandbox.org.soap.render import Rendered, nil

_BATCH = 500  # what SOAP answers at once unless told otherwise
_MOST_IDS = 2000
_MOST_DESCRIBED = 100
_NAME = re.compile(r"\w+")
_STAMP = re.compile(r"\+0000$")


def query(call: Asked) -> Rendered:
    """Answer the operation query: present records only."""
    return _page(call, "/query", q=call.required("queryString"))


def query_all(call: Asked) -> Rendered:
    """Answer the operation queryAll: deleted records are there too."""
    return _page(call, "/queryAll", q=call.required("queryString"))


def query_more(call: Asked) -> Rendered:
    """Answer the operation queryMore by a locator."""
    locator = call.required("queryLocator").strip()
    if not re.fullmatch(r"[\w-]+", locator):
        raise SoapFault("INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(call, f"/query/{locator}")


def retrieve(call: Asked) -> list[Rendered]:
    """Answer the operation retrieve: a record for each Id in its place, nil where there is none."""
    kind, fields = call.required("sObjectType").strip(), call.required("fieldList")
    ids = call.operation.values("ids")
    if len(ids) > _MOST_IDS:
        raise SoapFault("EXCEEDED_ID_LIMIT", f"retrieve ids limit reached. cannot retrieve more than {_MOST_IDS} ids")
    if not _NAME.fullmatch(kind):
        raise SoapFault("INVALID_TYPE", f"sObject type '{kind}' is not supported.")
    wrong = next((each for each in ids if canonical(each) is None), None)
    if wrong is not None:
        raise SoapFault("MALFORMED_ID", f"malformed id {wrong}")
    if not ids:
        return []
    asked = ", ".join(dict.fromkeys(["Id", *(each.strip() for each in fields.split(",") if each.strip())]))
    listed = ", ".join(f"'{each}'" for each in ids)
    found: dict[str, dict[str, Any]] = {}
    page = call.rest("/query", _sized(2000), q=f"SELECT {asked} FROM {kind} WHERE Id IN ({listed})")
    for record in page["records"]:
        found[record["Id"][:15]] = record
    catalogue, dialect = call.org.catalogue, call.dialect
    return [
        record_xml(catalogue, dialect, found[each[:15]], "result") if each[:15] in found else Rendered(nil("result"))
        for each in ids
    ]


def describe_global(call: Asked) -> dict[str, Any]:
    """Answer the operation describeGlobal."""
    described: dict[str, Any] = call.rest("/sobjects")
    return described | {"sobjects": [each | {"idEnabled": True} for each in described["sobjects"]]}


def describe_one(call: Asked) -> dict[str, Any]:
    """Answer the operation describeSObject."""
    return _described(call, call.required("sObjectType"))


def describe_many(call: Asked) -> list[dict[str, Any]]:
    """Answer the operation describeSObjects."""
    names = call.operation.values("sObjectType")
    if len(names) > _MOST_DESCRIBED:
        raise SoapFault("EXCEEDED_ID_LIMIT", "describeSObjects limit reached. cannot describe more than 100 types")
    return [_described(call, each) for each in names]


def get_updated(call: Asked) -> dict[str, Any]:
    """Answer the operation getUpdated."""
    answer: dict[str, Any] = _replicated(call, "updated")
    return answer | {"latestDateCovered": _moment(answer["latestDateCovered"])}


def get_deleted(call: Asked) -> dict[str, Any]:
    """Answer the operation getDeleted."""
    answer: dict[str, Any] = _replicated(call, "deleted")
    stamps = {name: _moment(answer[name]) for name in ("earliestDateAvailable", "latestDateCovered")}
    records = [each | {"deletedDate": _moment(each["deletedDate"])} for each in answer["deletedRecords"]]
    return {"deletedRecords": records, **stamps}


def _page(call: Asked, path: str, **params: str) -> Rendered:
    asked = call.envelope.header("QueryOptions").value("batchSize") or str(_BATCH)
    answer = call.rest(path, _sized(int(asked) if asked.strip().isdigit() else _BATCH), **params)
    return query_result(call.org.catalogue, call.dialect, answer)


def _sized(size: int) -> dict[str, str]:
    return {"sforce-query-options": f"batchSize={size}"}


def _described(call: Asked, name: str) -> dict[str, Any]:
    if not _NAME.fullmatch(name.strip()) or call.org.catalogue.find(name.strip()) is None:
        raise SoapFault("INVALID_TYPE", f"sObject type '{name}' is not supported.")
    described: dict[str, Any] = call.rest(f"/sobjects/{name.strip()}/describe")
    page = f"{call.base_url}/{described['keyPrefix']}" if described.get("keyPrefix") else None
    return described | {
        "idEnabled": True,
        "urlDetail": f"{call.base_url}/{{ID}}",
        "urlEdit": f"{call.base_url}/{{ID}}/e",
        "urlNew": f"{page}/e" if page else None,
    }


def _replicated(call: Asked, what: str) -> Any:
    kind = call.required("sObjectType").strip()
    if not _NAME.fullmatch(kind):
        raise SoapFault("INVALID_TYPE", f"sObject type '{kind}' is not supported.")
    start, end = call.required("startDate").strip(), call.required("endDate").strip()
    return call.rest(f"/sobjects/{kind}/{what}", start=start, end=end)


def _moment(stamp: str) -> str:
    return _STAMP.sub("Z", stamp)

"""Which operation is done by whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from include.sandbox.org.soap import people, reads, writes
from include.sandbox.org.soap.asked import Asked
from include.sandbox.org.soap.faults import SoapFault
from include.sandbox.org.soap.render import element, member
from include.sandbox.org.soap.types import OPERATIONS

_DONE_BY: dict[str, Callable[[Asked], Any]] = {
    "logout": people.logout,
    "getUserInfo": people.get_user_info,
    "getServerTimestamp": people.get_server_timestamp,
    "query": reads.query,
    "queryAll": reads.query_all,
    "queryMore": reads.query_more,
    "retrieve": reads.retrieve,
    "describeGlobal": reads.describe_global,
    "describeSObject": reads.describe_one,
    "describeSObjects": reads.describe_many,
    "getUpdated": reads.get_updated,
    "getDeleted": reads.get_deleted,
    "create": writes.create,
    "update": writes.update,
    "upsert": writes.upsert,
    "delete": writes.delete,
    "undelete": writes.undelete,
    "emptyRecycleBin": writes.empty_recycle_bin,
    "merge": writes.merge,
    "convertLead": writes.convert_lead,
}


def run_operation(call: Asked) -> str:
    """Do what a call asks for, and return the element that answers it."""
    name = call.operation.name
    run = _DONE_BY.get(name)
    if run is None:
        raise SoapFault("UNKNOWN_EXCEPTION", f"No operation available for request {{{call.dialect.namespace}}}{name}")
    return answer_element(name, run(call))


def answer_element(name: str, value: Any) -> str:
    """Return the element that answers an operation."""
    result = OPERATIONS[name][1]
    if result is None:
        return f"<{name}Response/>"
    return element(f"{name}Response", member(result, value))

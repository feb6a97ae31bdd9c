"""Faults: what refuses a whole call, in the envelope that clients read literally."""

from __future__ import annotations

import re

from include.sandbox.org.refusals import Refusal
from include.sandbox.org.soap.dialects import Dialect
from include.sandbox.org.soap.render import text

_KINDS = {
    "INVALID_LOGIN": "LoginFault",
    "INACTIVE_USER": "LoginFault",
    "INVALID_FIELD": "InvalidFieldFault",
    "INVALID_TYPE": "InvalidSObjectFault",
    "MALFORMED_QUERY": "MalformedQueryFault",
    "INVALID_QUERY_LOCATOR": "InvalidQueryLocatorFault",
    "INVALID_QUERY_FILTER_OPERATOR": "MalformedQueryFault",
    "MALFORMED_ID": "InvalidIdFault",
    "INVALID_ID_FIELD": "InvalidIdFault",
}
_PLACED = ("InvalidFieldFault", "MalformedQueryFault", "InvalidSObjectFault")  # they tell row and column
_PLACE = re.compile(r"ERROR at Row:(\d+):Column:(\d+)")


class SoapFault(Exception):
    """Carry a fault: its code, and its words without the code before them."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def fault_of(refusal: Refusal) -> SoapFault:
    """Return the fault that a refusal of the other APIs is here; statuses have names of their own there."""
    code = {"NOT_FOUND": "INVALID_TYPE"}.get(refusal.code, refusal.code)
    return SoapFault(code, refusal.message)


def fault_envelope(fault: SoapFault, dialect: Dialect) -> str:
    """Return the whole answer of a fault; the prefix `sf` is read literally by clients."""
    kind = _KINDS.get(fault.code, "UnexpectedErrorFault")
    message = text(fault.message)
    place = ""
    if kind in _PLACED:
        found = _PLACE.search(fault.message)
        row, column = found.groups() if found else ("-1", "-1")
        place = f"<sf:row>{row}</sf:row><sf:column>{column}</sf:column>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns:sf="{dialect.faults}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<soapenv:Body><soapenv:Fault><faultcode>sf:{fault.code}</faultcode>"
        f"<faultstring>{fault.code}: {message}</faultstring>"
        f'<detail><sf:{kind} xsi:type="sf:{kind}"><sf:exceptionCode>{fault.code}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{message}</sf:exceptionMessage>{place}</sf:{kind}></detail>"
        "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )

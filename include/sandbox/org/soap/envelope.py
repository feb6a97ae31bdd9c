"""Envelopes: which operation a body calls with what headers, and the answer around a result."""

from __future__ import annotations

from dataclasses import dataclass

from include.sandbox.org.soap.dialects import Dialect
from include.sandbox.org.soap.faults import SoapFault
from include.sandbox.org.soap.nodes import Node, NotXml, parse_xml
from include.sandbox.org.soap.render import members

_MOST_BYTES = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Hold a call: the operation's element, and the header elements beside it."""

    operation: Node
    headers: Node

    def header(self, name: str) -> Node:
        """Return a header, an empty one if it wasn't sent."""
        return self.headers.child(name) or Node(name=name)


def read_envelope(body: bytes) -> Envelope:
    """Return the call that a body holds, whatever prefixes it uses, or refuse it."""
    if len(body) > _MOST_BYTES:
        message = f"Maximum size of request reached. Maximum size of request is {_MOST_BYTES} bytes"
        raise SoapFault("EXCEEDED_MAX_SIZE_REQUEST", message)
    try:
        root = parse_xml(body)
    except NotXml as error:
        raise SoapFault("UNKNOWN_EXCEPTION", f"Error parsing the request: {error}") from error
    inside = root.child("Body")
    if root.name != "Envelope" or inside is None or not inside.children:
        raise SoapFault("UNKNOWN_EXCEPTION", "No operation available for request")
    return Envelope(operation=inside.children[0], headers=root.child("Header") or Node(name="Header"))


def write_envelope(content: str, dialect: Dialect, *, usage: tuple[int, int] | None) -> str:
    """Return the answer around a result; `usage` is what of how many calls was used, which login doesn't tell."""
    header = ""
    if usage is not None:
        info = members("LimitInfo", {"current": usage[0], "limit": usage[1], "type": "API REQUESTS"})
        header = (
            f"<soapenv:Header><LimitInfoHeader><limitInfo>{info}</limitInfo></LimitInfoHeader></soapenv:Header>"
        )  # fmt: skip
    records = f' xmlns:sf="{dialect.records}"' if "<sf:" in content else ""
    schema = ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"' if 'xsi:type="xsd:' in content else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns="{dialect.namespace}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"{records}{schema}>'
        f"{header}<soapenv:Body>{content}</soapenv:Body></soapenv:Envelope>"
    )

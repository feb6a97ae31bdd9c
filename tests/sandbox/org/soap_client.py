"""Envelopes as the clients send them, and what comes back taken apart."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from xml.sax.saxutils import escape

import httpx
import requests
from requests.adapters import HTTPAdapter

VERSION = "59.0"


class Rewrite(HTTPAdapter):
    """Send every request to one place, for a client that insists on https."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = urlsplit(base)

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        url = urlsplit(str(request.url))
        request.url = urlunsplit((self.base.scheme, self.base.netloc, url.path, url.query, ""))
        return super().send(request, **options)


def post(url: str, envelope: str, *, version: str = VERSION, letter: str = "u", action: str = '""') -> httpx.Response:
    headers = {"Content-Type": "text/xml", "SOAPAction": action}
    return httpx.post(f"{url}/services/Soap/{letter}/{version}", content=envelope.encode(), headers=headers)


def jsforce(token: str, body: str) -> str:
    """Return what jsforce sends: default namespaces on header and body."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        '<soapenv:Header xmlns="urn:partner.soap.sforce.com">'
        f"<SessionHeader><sessionId>{token}</sessionId></SessionHeader></soapenv:Header>"
        f'<soapenv:Body xmlns="urn:partner.soap.sforce.com">{body}</soapenv:Body></soapenv:Envelope>'
    )


def prefixed(token: str, body: str, headers: str = "") -> str:
    """Return what clients with generated code send: prefixes everywhere, types on records."""
    return (
        '<soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:p="urn:partner.soap.sforce.com"'
        ' xmlns:o="urn:sobject.partner.soap.sforce.com"><soap-env:Header>'
        f"<p:SessionHeader><p:sessionId>{token}</p:sessionId></p:SessionHeader>{headers}</soap-env:Header>"
        f"<soap-env:Body>{body}</soap-env:Body></soap-env:Envelope>"
    )


def login(username: str, password: str, header: str = "") -> str:
    """Return what simple-salesforce sends."""
    return f"""<?xml version="1.0" encoding="utf-8" ?>
<env:Envelope
        xmlns:xsd="http://www.w3.org/2001/XMLSchema"
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
        xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"
        xmlns:urn="urn:partner.soap.sforce.com">
    <env:Header>
        <urn:CallOptions>
            <urn:client>simple-salesforce</urn:client>
            <urn:defaultNamespace>sf</urn:defaultNamespace>
        </urn:CallOptions>{header}
    </env:Header>
    <env:Body>
        <n1:login xmlns:n1="urn:partner.soap.sforce.com">
            <n1:username>{escape(username)}</n1:username>
            <n1:password>{escape(password)}</n1:password>
        </n1:login>
    </env:Body>
</env:Envelope>"""


def fault(code: str, message: str, kind: str = "UnexpectedErrorFault", place: str = "", name: str = "partner") -> str:
    """Return a fault as the guides show it."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns:sf="urn:fault.{name}.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<soapenv:Body><soapenv:Fault><faultcode>sf:{code}</faultcode>"
        f"<faultstring>{code}: {message}</faultstring>"
        f'<detail><sf:{kind} xsi:type="sf:{kind}"><sf:exceptionCode>{code}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{message}</sf:exceptionMessage>{place}</sf:{kind}></detail>"
        "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )


def answered(answer: httpx.Response) -> str:
    """Return what stands in the body of an answer."""
    assert answer.status_code == 200, answer.text
    found = re.search(r"<soapenv:Body>(.*)</soapenv:Body>", answer.text, re.DOTALL)
    assert found is not None
    return found.group(1)


def values(text: str, name: str) -> list[str]:
    """Return the texts of all elements of a name."""
    return re.findall(rf"<(?:sf:)?{name}(?: [^>]*)?>([^<]*)</", text)

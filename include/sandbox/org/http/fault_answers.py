"""What a failing Salesforce says: refusals in the shape of the API that was called, and the pages of its proxies."""

from __future__ import annotations

from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response

from include.sandbox.org.http.gate import json_response

_XML = "text/xml; charset=UTF-8"
_BULK_CODES = {
    "REQUEST_LIMIT_EXCEEDED": "ExceededQuota",
    "QUERY_TIMEOUT": "Timeout",
    "UNABLE_TO_LOCK_ROW": "TooManyLockFailure",
}
_FAULT = """<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope \
xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com" \
xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault><faultcode>sf:{code}</faultcode>\
<faultstring>{code}: {message}</faultstring><detail><sf:UnexpectedErrorFault xsi:type="sf:UnexpectedErrorFault">\
<sf:exceptionCode>{code}</sf:exceptionCode><sf:exceptionMessage>{message}</sf:exceptionMessage>\
</sf:UnexpectedErrorFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"""
_BULK_ERROR = """<?xml version="1.0" encoding="UTF-8"?><error xmlns="http://www.force.com/2009/06/asyncapi/dataload">\
<exceptionCode>{code}</exceptionCode><exceptionMessage>{message}</exceptionMessage></error>"""
_PAGE = """<!DOCTYPE html>
<html>
<head><title>{title}</title></head>
<body>
<h1>{title}</h1>
<p>{text}</p>
</body>
</html>
"""
_PAGES = {
    200: (
        "We are down for maintenance.",
        "Sorry for the inconvenience. We&#39;ll be back shortly. Maintenance window: see trust.salesforce.com.",
    ),
    420: ("420 Enhance Your Calm", "The edge has no route to the instance of this org."),
    429: ("429 Too Many Requests", "You have sent too many requests in a given amount of time."),
    502: ("502 Bad Gateway", "The server returned an invalid or incomplete response."),
    503: ("503 Service Unavailable", "We are down for maintenance. Sorry for the inconvenience."),
    504: ("504 Gateway Time-out", "The server didn't respond in time."),
}


def refuse(request: Request, status: int, code: str, message: str) -> Response:
    """Return a refusal of the org itself, as the API says it that was called."""
    path = request.url.path.lower()
    if path.startswith("/services/soap/"):
        return Response(_FAULT.format(code=code, message=escape(message)), 500, {"Content-Type": _XML})
    if path.startswith("/services/async/"):
        return _refuse_bulk(request, status, _BULK_CODES.get(code, "Unknown"), message)
    if path.startswith("/services/oauth2/"):
        return json_response({"error": "unknown_error", "error_description": "retry your request"}, status)
    return json_response([{"message": message, "errorCode": code}], status)


def page(status: int) -> Response:
    """Return what a proxy in front of the org answers."""
    title, text = _PAGES[status]
    return Response(_PAGE.format(title=title, text=text), status, {"Content-Type": "text/html;charset=UTF-8"})


def _refuse_bulk(request: Request, status: int, code: str, message: str) -> Response:
    wanted = request.headers.get("content-type", "") + request.headers.get("accept", "")
    if "json" in wanted.lower():
        return json_response({"exceptionCode": code, "exceptionMessage": message}, status)
    body = _BULK_ERROR.format(code=code, message=escape(message))
    return Response(body, status, {"Content-Type": "application/xml"})

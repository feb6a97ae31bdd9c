"""The SOAP API as HTTP: login for everybody, the rest for who has a session and something left of the allocation."""

from __future__ import annotations

import base64
import hashlib

from starlette.requests import Request
from starlette.responses import Response

from include.sandbox.org.http.call import Answer
from include.sandbox.org.http.gate import Handler, base_url, log_call
from include.sandbox.org.http.versions import known_version
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.sessions import Session
from include.sandbox.org.soap.asked import Asked
from include.sandbox.org.soap.dialects import DIALECTS, Dialect
from include.sandbox.org.soap.envelope import Envelope, read_envelope, write_envelope
from include.sandbox.org.soap.faults import SoapFault, fault_envelope, fault_of
from include.sandbox.org.soap.operations import answer_element, run_operation
from include.sandbox.org.soap.people import login
from include.sandbox.org.soap.wsdl import partner_wsdl

_XML = "text/xml; charset=utf-8"
_MOST_LOGIN_BYTES = 10 * 1024


def answer_soap(org: Org, request: Request, body: bytes) -> Response:
    """Answer a POST to /services/Soap/u/<version>, with or without the org's Id behind it."""
    dialect = DIALECTS[request.path_params["letter"]]
    name, cost = "", 0
    try:
        envelope = read_envelope(body)
        name = envelope.operation.name
        version = _version(request)
        if name == "login":
            content, usage = _signed_in(org, request, envelope, dialect, version, len(body)), None
        else:
            session = _session(org, envelope)
            _check_left(org)
            cost = 1
            content = _answered(org, request, envelope, dialect, version, session)
            org.allocation.spend(cost)
            usage = (org.allocation.used(), org.allocation.maximum)
        text, status = write_envelope(content, dialect, usage=usage), 200
    except SoapFault as fault:
        text, status = fault_envelope(fault, dialect), 500
        org.allocation.spend(cost)
    log_call(org, "POST", request.url.path, Answer(status=status, cost=cost, parts=(name,) if name else ()))
    return Response(text, status, {"Content-Type": _XML})


def answer_wsdl(_org: Org, request: Request, _body: bytes) -> Response:
    """Answer GET /services/wsdl/partner: the operations that are served here."""
    return Response(partner_wsdl(f"{base_url(request)}/services/Soap/u/64.0"), headers={"Content-Type": _XML})


def _signed_in(org: Org, request: Request, envelope: Envelope, dialect: Dialect, version: str, size: int) -> str:
    if size > _MOST_LOGIN_BYTES:
        raise SoapFault("EXCEEDED_MAX_SIZE_REQUEST", "The login request size is limited to 10 KB.")
    return answer_element("login", login(org, envelope, dialect, version, base_url(request)))


def _answered(org: Org, request: Request, envelope: Envelope, dialect: Dialect, version: str, session: Session) -> str:
    call = Asked(
        org=org, session=session, dialect=dialect, version=version, base_url=base_url(request), envelope=envelope
    )
    try:
        return run_operation(call)
    except Refusal as refusal:
        raise fault_of(refusal) from refusal


def _session(org: Org, envelope: Envelope) -> Session:
    token = (envelope.header("SessionHeader").value("sessionId") or "").strip()
    session = org.sessions.use(token)
    if session is None:
        digest = base64.b64encode(hashlib.sha256(token.encode()).digest()).decode()
        message = (
            "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session hash: "
            f"{digest}\nThis error usually occurs after a session expires or a user logs out. "
        )
        raise SoapFault("INVALID_SESSION_ID", message)
    return session


def _check_left(org: Org) -> None:
    if org.allocation.exhausted():
        raise SoapFault("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def _version(request: Request) -> str:
    asked = request.path_params["version"]
    version = known_version(asked if "." in asked else f"{asked}.0")
    if version is None:
        raise SoapFault("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")
    return version


def _endpoint(letter: str) -> Handler:
    def answer(org: Org, request: Request, body: bytes) -> Response:
        request.path_params["letter"] = letter
        return answer_soap(org, request, body)

    return answer


ENDPOINTS: tuple[tuple[str, Handler, tuple[str, ...]], ...] = (
    *(
        (f"/services/Soap/{letter}/{{version}}{behind}", _endpoint(letter), ("POST",))
        for letter in DIALECTS
        for behind in ("", "/", "/{org_id}", "/{org_id}/")
    ),
    ("/services/wsdl/partner", answer_wsdl, ("GET",)),
)

"""One SOAP call with everything that an operation needs, and the way to what the REST API answers already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.sandbox.org.http.call import Call
from include.sandbox.org.http.routes import dispatch
from include.sandbox.org.org import Org
from include.sandbox.org.sessions import Session
from include.sandbox.org.soap.dialects import Dialect
from include.sandbox.org.soap.envelope import Envelope
from include.sandbox.org.soap.faults import SoapFault
from include.sandbox.org.soap.nodes import Node
from include.sandbox.org.writing import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Hold a call of a signed-in user."""

    org: Org
    session: Session
    dialect: Dialect
    version: str
    base_url: str
    envelope: Envelope

    @property
    def operation(self) -> Node:
        """Return the element of the operation, with its arguments."""
        return self.envelope.operation

    @property
    def writer(self) -> Writer:
        """Return who writes, and how the headers want it."""
        return Writer(
            user_id=self.session.user_id,
            all_or_none=self.envelope.header("AllOrNoneHeader").flag("allOrNone"),
            allow_duplicates=self.envelope.header("DuplicateRuleHeader").flag("allowSave"),
            version=self.version,
        )

    def rest(self, path: str, headers: Mapping[str, str] | None = None, **params: str) -> Any:
        """Return what the REST API answers a GET, a refusal becoming a fault."""
        answer = dispatch(
            Call(
                org=self.org, user_id=self.session.user_id, version=self.version, base_url=self.base_url, method="GET",
                rest=path, params=params, headers=headers or {},
            )
        )  # fmt: skip
        body = answer.plain_body()
        if answer.status >= 400:
            code = {"NOT_FOUND": "INVALID_TYPE"}.get(body[0]["errorCode"], body[0]["errorCode"])
            raise SoapFault(code, body[0]["message"])
        return body

    def required(self, name: str) -> str:
        """Return an argument that has to be there."""
        value = self.operation.value(name)
        if value is None:
            raise SoapFault("UNKNOWN_EXCEPTION", f"Missing required argument {name}")
        return value

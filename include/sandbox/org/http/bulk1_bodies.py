"""How the older Bulk API speaks: the same facts as XML or as JSON, and errors of a shape of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import orjson

from include.sandbox.org.http.call import Answer
from include.sandbox.org.jobs.classic_results import NAMESPACE
from include.sandbox.org.jobs.formats import json_stamp, xml_stamp

JSON, XML = "JSON", "XML"
_STAMPS = ("createdDate", "systemModstamp")
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
Facts = Mapping[str, Any]


class AsyncError(Exception):
    """Carry what the older Bulk API refuses, and how."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def asked(body: bytes) -> dict[str, str]:
    """Return the members of a job body, which is XML if it looks like it and JSON otherwise."""
    text = body.strip()
    try:
        if text.startswith(b"<"):
            return {each.tag.rpartition("}")[2]: (each.text or "").strip() for each in ElementTree.fromstring(text)}
        parsed = orjson.loads(text or b"{}")
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        if isinstance(error, orjson.JSONDecodeError):
            raise AsyncError("InvalidJob", f"Unable to parse Job: {error.msg}") from error
        raise AsyncError("InvalidXML", f"Unable to parse XML: {error}") from error
    if not isinstance(parsed, dict):
        raise AsyncError("InvalidJob", "Unable to parse Job")
    return {str(name): "" if value is None else str(value) for name, value in parsed.items()}


def preferred(headers: Mapping[str, str], otherwise: str) -> str:
    """Return the format that the request's Content-Type asks for."""
    kind = headers.get("content-type", "").lower()
    if "json" in kind:
        return JSON
    return XML if "xml" in kind else otherwise


def facts(name: str, values: Facts, form: str, status: int = 200) -> Answer:
    """Answer with a job or a batch."""
    if form == JSON:
        return _json(_as_json(values), status)
    return _xml(f'<{name}\n   xmlns="{NAMESPACE}">{_members(values)}</{name}>', status)


def listed(name: str, each: str, rows: Sequence[Facts], form: str) -> Answer:
    """Answer with a list of batches."""
    if form == JSON:
        return _json({each: [_as_json(row) for row in rows]})
    if not rows:
        return _xml(f'<{name}\n   xmlns="{NAMESPACE}" />')
    inner = "".join(f" <{each}>{_members(row, '  ')} </{each}>\n" for row in rows)
    return _xml(f'<{name}\n   xmlns="{NAMESPACE}">\n{inner}</{name}>')


def result_list(ids: Sequence[str], form: str) -> Answer:
    """Answer with the Ids of results."""
    if form == JSON:
        return _json(list(ids))
    inner = "".join(f"<result>{each}</result>" for each in ids)
    return _xml(f'<result-list xmlns="{NAMESPACE}">{inner}</result-list>')


def refused(error: AsyncError, form: str) -> Answer:
    """Answer with an error."""
    if form == JSON:
        return _json({"exceptionCode": error.code, "exceptionMessage": error.message}, error.status)
    code, message = f"<exceptionCode>{error.code}</exceptionCode>", escape(error.message)
    inner = f"\n {code}\n <exceptionMessage>{message}</exceptionMessage>\n"
    return _xml(f'<error\n   xmlns="{NAMESPACE}">{inner}</error>', error.status)


def _members(values: Facts, indent: str = " ") -> str:
    shown = {name: xml_stamp(value) if name in _STAMPS else value for name, value in values.items()}
    lines = "".join(f"{indent}<{name}>{escape(str(value))}</{name}>\n" for name, value in shown.items())
    return f"\n{lines}"


def _as_json(values: Facts) -> dict[str, Any]:
    shown = {name: json_stamp(value) if name in _STAMPS else value for name, value in values.items()}
    return dict(sorted(shown.items()))


def _json(body: Any, status: int = 200) -> Answer:
    return _whole(orjson.dumps(body), "application/json", status)


def _xml(body: str, status: int = 200) -> Answer:
    return _whole(f"{_DECLARATION}{body}".encode(), "application/xml", status)


def _whole(body: bytes, kind: str, status: int) -> Answer:
    return Answer(status=status, headers={"Content-Type": kind}, stream=lambda: iter((body,)), length=len(body))

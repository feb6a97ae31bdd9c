"""What a fault may look at in a request: the objects it is about, and its SOQL."""

from __future__ import annotations

import re
from urllib.parse import unquote

from starlette.requests import Request

from include.sandbox.org.faults import Traits
from include.sandbox.org.org import Org

_OBJECT = re.compile(r"/sobjects/(\w+)", re.IGNORECASE)
_FROM = re.compile(r"\bFROM\s+(\w+)", re.IGNORECASE)
_JOB = re.compile(r"/(?:jobs/query|jobs/ingest|job)/(\w{15,18})")
_LOCATOR = re.compile(r"/query(?:All)?/(\w{15,18}-\d+)", re.IGNORECASE)
_TYPES = re.compile(rb'"(?:type|object)"\s*:\s*"(\w+)"|<(?:\w+:)?(?:type|object)[^>]*>(\w+)<')
_SEEN = 65_536  # bytes of a body that are looked at


def read_traits(org: Org, request: Request, body: bytes) -> Traits:
    """Return the traits of a request."""
    path = request.url.path
    soql = request.query_params.get("q", "") or _soql_in(body) or _soql_behind(org, path)
    objects = {*_OBJECT.findall(unquote(path)), *_FROM.findall(soql), *_objects_in(body), *_object_of_job(org, path)}
    return Traits(
        method=request.query_params.get("_HttpMethod", request.method).upper(),
        path=path,
        objects=frozenset(each.lower() for each in objects),
        soql=soql,
        gzip="gzip" in request.headers.get("accept-encoding", ""),
    )


def _soql_in(body: bytes) -> str:
    """Return what a body asks for; jobs, composites and SOAP calls all spell SELECT out."""
    text = body[:_SEEN].decode(errors="replace")
    return text if "select" in text.lower() else ""


def _objects_in(body: bytes) -> list[str]:
    return [(json or xml).decode() for json, xml in _TYPES.findall(body[:_SEEN])]


def _soql_behind(org: Org, path: str) -> str:
    """Return the query that a locator or a job stands for."""
    locator = _LOCATOR.search(path)
    if locator is not None:
        found = org.cursors.find(locator.group(1))
        return found[0].plan.query if found else ""
    job = _job_of(org, path)
    return str(getattr(job, "query", "") or "")


def _object_of_job(org: Org, path: str) -> list[str]:
    job = _job_of(org, path)
    name = getattr(job, "object", None)
    return [str(name)] if name else []


def _job_of(org: Org, path: str) -> object | None:
    match = _JOB.search(path)
    if match is None:
        return None
    job_id = match.group(1)
    return org.jobs.find(job_id) or org.loads.find(job_id) or org.classic.find(job_id)

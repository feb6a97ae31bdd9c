"""Which path leads to which resource; composite requests take the same way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import duckdb

from include.sandbox.org.http import (
    bulk,
    collections,
    composite,
    describing,
    graph,
    ingest,
    limits,
    querying,
    reading,
    recent_items,
    records,
    replication,
    searching,
    tree,
    upserts,
    versions,
)
from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.refusals import Refusal, not_found

Resource = Callable[[Call], Answer]


def dispatch(call: Call) -> Answer:
    """Answer a call, a refusal being an answer too."""
    generation = call.org.catalogue.generation
    try:
        return _find(call)
    except Refusal as refusal:
        return Answer(status=refusal.status, body=refusal.body())
    except duckdb.Error:
        if call.org.catalogue.settled() == generation:
            raise
        return dispatch(call)  # an administrator changed the object between plan and execution: plan anew


def _find(call: Call) -> Answer:
    if versions.known_version(call.version) is None:
        raise not_found()
    allowed: list[str] = []
    rest = "/" + call.rest.strip("/")
    for method, pattern, resource in _ROUTES:
        match = pattern.fullmatch(rest)
        if match is None:
            continue
        if method == call.method or (method == "GET" and call.method == "HEAD"):
            return resource(replace(call, path=match.groupdict()))
        allowed.append(method)
    if not allowed:
        raise not_found()
    message = f"HTTP Method '{call.method}' not allowed. Allowed are {','.join(allowed)}"
    raise Refusal(405, "METHOD_NOT_ALLOWED", message)


def _run_composite(call: Call) -> Answer:
    return composite.run_composite(call, dispatch)


def _run_batch(call: Call) -> Answer:
    return composite.run_batch(call, dispatch)


def _run_graphs(call: Call) -> Answer:
    return graph.run_graphs(call, dispatch)


def _route(method: str, template: str, resource: Resource) -> tuple[str, re.Pattern[str], Resource]:
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
    return method, re.compile(pattern, re.IGNORECASE), resource


_ROUTES = (
    _route("GET", "/", versions.list_resources),
    _route("GET", "/limits", limits.show_limits),
    _route("GET", "/limits/recordCount", limits.count_records),
    _route("GET", "/query", querying.query),
    _route("GET", "/queryAll", querying.query_all),
    _route("GET", "/query/{locator}", querying.next_page),
    _route("GET", "/queryAll/{locator}", querying.next_page),
    _route("GET", "/recent", recent_items.list_recent),
    _route("GET", "/search", searching.search),
    _route("GET", "/parameterizedSearch", searching.search_by_parameters),
    _route("POST", "/parameterizedSearch", searching.search_by_parameters),
    _route("GET", "/tooling/query", querying.query),
    _route("GET", "/tooling/query/{locator}", querying.next_page),
    _route("GET", "/tooling/sobjects", describing.list_definitions),
    _route("GET", "/tooling/sobjects/{object}/describe", describing.show_describe),
    _route("GET", "/sobjects", describing.list_objects),
    _route("GET", "/sobjects/{object}/describe", describing.show_describe),
    _route("GET", "/sobjects/{object}", describing.show_object),
    _route("POST", "/sobjects/{object}", records.create),
    _route("GET", "/sobjects/{object}/updated", replication.list_updated),
    _route("GET", "/sobjects/{object}/deleted", replication.list_deleted),
    _route("GET", "/sobjects/{object}/{id}", reading.show),
    _route("PATCH", "/sobjects/{object}/{id}", records.change),
    _route("DELETE", "/sobjects/{object}/{id}", records.delete),
    _route("POST", "/sobjects/{object}/(?P<field>Id)", upserts.create_by_id),
    _route("PATCH", "/sobjects/{object}/{field}/(?P<value>.+)", upserts.upsert),
    _route("DELETE", "/sobjects/{object}/{field}/(?P<value>.+)", upserts.delete),
    _route("POST", "/composite/sobjects", collections.create),
    _route("PATCH", "/composite/sobjects", collections.change),
    _route("DELETE", "/composite/sobjects", collections.delete),
    _route("GET", "/composite/sobjects/{object}", collections.read),
    _route("POST", "/composite/sobjects/{object}", collections.read),
    _route("PATCH", "/composite/sobjects/{object}/{field}", collections.upsert),
    _route("POST", "/composite/tree/{object}", tree.create),
    _route("POST", "/composite/graph", _run_graphs),
    _route("POST", "/composite", _run_composite),
    _route("POST", "/composite/batch", _run_batch),
    _route("GET", "/jobs/query", bulk.list_jobs),
    _route("POST", "/jobs/query", bulk.create_job),
    _route("GET", "/jobs/query/{job}", bulk.show_job),
    _route("PATCH", "/jobs/query/{job}", bulk.change_job),
    _route("DELETE", "/jobs/query/{job}", bulk.delete_job),
    _route("GET", "/jobs/query/{job}/results", bulk.show_results),
    _route("GET", "/jobs/query/{job}/resultPages", bulk.list_result_pages),
    _route("GET", "/jobs/ingest", ingest.list_jobs),
    _route("POST", "/jobs/ingest", ingest.create_job),
    _route("GET", "/jobs/ingest/{job}", ingest.show_job),
    _route("PATCH", "/jobs/ingest/{job}", ingest.change_job),
    _route("DELETE", "/jobs/ingest/{job}", ingest.delete_job),
    _route("PUT", "/jobs/ingest/{job}/batches", ingest.upload),
    _route(
        "GET",
        "/jobs/ingest/{job}/(?P<results>successfulResults|failedResults|unprocessedRecords)",
        ingest.show_results,
    ),
    _route("GET", "/sobjects/{object}/(?P<way>[^/]+/.+)", reading.show_below),
)

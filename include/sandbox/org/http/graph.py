"""Composite graphs: up to 500 sub-requests in graphs, each of which succeeds or fails as a whole."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.http.composite import Dispatch, halted, run_parts
from include.sandbox.org.refusals import Refusal

_MOST_GRAPHS = 75
_MOST_NODES = 500
_MOST_FAILURES = 14


def run_graphs(call: Call, dispatch: Dispatch) -> Answer:
    """Answer POST /composite/graph."""
    graphs = call.json().get("graphs")
    if not isinstance(graphs, list) or not graphs:
        raise Refusal(400, "INVALID_INPUT", "graphs is required and must hold at least one graph")
    _check(graphs)
    results: list[dict[str, Any]] = []
    failures = 0
    for graph in graphs:
        requests = graph["compositeRequest"]
        if failures > _MOST_FAILURES:
            responses = [halted(each) for each in requests]
        else:
            responses = run_parts(call, requests, dispatch, all_or_none=True)
        successful = all(each["httpStatusCode"] < 400 for each in responses)
        failures += not successful
        results.append(
            {
                "graphId": str(graph["graphId"]),
                "graphResponse": {"compositeResponse": responses},
                "isSuccessful": successful,
            }
        )
    parts = tuple(
        f"{each.get('method', 'GET')} {urlsplit(str(each.get('url'))).path}"
        for graph in graphs
        for each in graph["compositeRequest"]
    )
    return Answer(body={"graphs": results}, parts=parts)


def _check(graphs: list[Any]) -> None:
    if len(graphs) > _MOST_GRAPHS:
        raise Refusal(400, "LIMIT_EXCEEDED", f"The request can't contain more than {_MOST_GRAPHS} graphs")
    nodes = 0
    for graph in graphs:
        requests = graph.get("compositeRequest") if isinstance(graph, dict) else None
        if not requests or not graph.get("graphId") or not all(_whole(each) for each in requests):
            message = "Every graph needs graphId and compositeRequest, every subrequest method, url and referenceId"
            raise Refusal(400, "INVALID_INPUT", message)
        nodes += len(requests)
    if nodes > _MOST_NODES:
        raise Refusal(400, "LIMIT_EXCEEDED", f"The request can't contain more than {_MOST_NODES} nodes")
    if len({str(each["graphId"]) for each in graphs}) < len(graphs):
        raise Refusal(400, "INVALID_INPUT", "Duplicate graphId provided; each must be unique within the request")


def _whole(request: Any) -> bool:
    return isinstance(request, dict) and all(request.get(name) for name in ("method", "url", "referenceId"))

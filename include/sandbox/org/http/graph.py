"""Composite graphs: up to 500 sub-requests in graphs, each of which succeeds or fails as a whole."""

from __future__ import annotations

from typing import Any

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.http.composite import Dispatch, check_requests, halted, run_parts, told
from include.sandbox.org.http.json_parts import parts, text
from include.sandbox.org.refusals import Refusal

_MOST_GRAPHS = 75
_MOST_NODES = 500
_MOST_FAILURES = 14


def run_graphs(call: Call, dispatch: Dispatch) -> Answer:
    """Answer POST /composite/graph."""
    graphs = parts(call.json(), "graphs")
    if not graphs:
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
    asked = tuple(each for graph in graphs for each in told(graph["compositeRequest"]))
    return Answer(body={"graphs": results}, parts=asked)


def _check(graphs: list[dict[str, Any]]) -> None:
    if len(graphs) > _MOST_GRAPHS:
        raise Refusal(400, "LIMIT_EXCEEDED", f"The request can't contain more than {_MOST_GRAPHS} graphs")
    nodes = 0
    for graph in graphs:
        requests = parts(graph, "compositeRequest")
        if not requests or not text(graph, "graphId") or not all(each.get("method") for each in requests):
            message = "Every graph needs graphId and compositeRequest, every subrequest method, url and referenceId"
            raise Refusal(400, "INVALID_INPUT", message)
        check_requests(requests)
        nodes += len(requests)
    if nodes > _MOST_NODES:
        raise Refusal(400, "LIMIT_EXCEEDED", f"The request can't contain more than {_MOST_NODES} nodes")
    if len({str(each["graphId"]) for each in graphs}) < len(graphs):
        raise Refusal(400, "INVALID_INPUT", "Duplicate graphId provided; each must be unique within the request")

"""Several requests in one: `composite` counts once, `composite/batch` counts each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.refusals import Refusal, not_found

Dispatch = Callable[[Call], Answer]

_MOST = 25
_MOST_QUERIES = 5
_REFERENCE_ID = re.compile(r"[A-Za-z0-9_]+")
_REFERENCE = re.compile(r"@\{([^}]+)\}")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_COSTLY = re.compile(r"/(query|queryAll|composite/sobjects)(/|$)", re.IGNORECASE)


def run_composite(call: Call, dispatch: Dispatch) -> Answer:
    """Answer POST /composite."""
    asked = call.json()
    requests = asked.get("compositeRequest")
    if not isinstance(requests, list) or not requests:
        raise Refusal(400, "INVALID_INPUT", "compositeRequest is required and must hold at least one subrequest")
    _check(requests)
    all_or_none = bool(asked.get("allOrNone"))
    results: dict[str, Any] = {}
    responses: list[dict[str, Any]] = []
    for request in requests:
        response = _run_one(call, request, results, dispatch)
        responses.append(response)
        if response["httpStatusCode"] < 400:
            results[request["referenceId"]] = response["body"]
        elif all_or_none:
            responses = [_halted(each) for each in requests[: len(responses) - 1]] + [response]
            responses += [_halted(each) for each in requests[len(responses) :]]
            break
    parts = tuple(f"{each.get('method', 'GET')} {urlsplit(each['url']).path}" for each in requests)
    return Answer(body={"compositeResponse": responses}, parts=parts)


def _check(requests: list[Any]) -> None:
    if len(requests) > _MOST:
        raise Refusal(400, "LIMIT_EXCEEDED", f"The request can't contain more than {_MOST} subrequests")
    for each in requests:
        if not isinstance(each, dict) or not isinstance(each.get("url"), str) or not each.get("referenceId"):
            raise Refusal(400, "INVALID_INPUT", "Every subrequest needs method, url and referenceId")
        if not _REFERENCE_ID.fullmatch(str(each["referenceId"])):
            raise Refusal(
                400,
                "INVALID_INPUT",
                f"Provided referenceId ('{each['referenceId']}') must start with a letter or a number, "
                "and it must contain only letters, numbers and underscores ('_').",
            )
    if len({each["referenceId"] for each in requests}) < len(requests):
        raise Refusal(400, "INVALID_INPUT", "Duplicate referenceId provided; each must be unique within the request")
    costly = sum(1 for each in requests if _COSTLY.search(urlsplit(each["url"]).path))
    if costly > _MOST_QUERIES:
        message = f"Can't have more than {_MOST_QUERIES} query or sObject collection subrequests in a composite request"
        raise Refusal(400, "LIMIT_EXCEEDED", message)


def _run_one(call: Call, request: dict[str, Any], results: dict[str, Any], dispatch: Dispatch) -> dict[str, Any]:
    try:
        url = _resolved(request["url"], results)
        body = _resolved_deep(request.get("body"), results)
    except KeyError as error:
        message = f"The subrequest depends on a failed or missing one: {error.args[0]}"
        return _response(request, Answer(status=400, body=Refusal(400, "PROCESSING_HALTED", message).body()))
    headers = {str(name).lower(): str(value) for name, value in (request.get("httpHeaders") or {}).items()}
    inner = _inner(call, str(request.get("method", "GET")).upper(), url, headers, body)
    return _response(request, dispatch(inner) if inner else Answer(status=404, body=not_found().body()))


def _inner(call: Call, method: str, url: str, headers: dict[str, str], body: Any) -> Call | None:
    """Return the sub-request as a call of its own, or None if its URL leads nowhere."""
    split = urlsplit(url if url.startswith("/") else f"/services/data/{url}")
    match = re.fullmatch(r"/services/data/v(\d{2}\.\d)(/.*)?", split.path)
    if match is None:
        return None
    return replace(
        call,
        method=method,
        version=match.group(1),
        rest=unquote(match.group(2) or "/"),
        params=dict(parse_qsl(split.query, keep_blank_values=True)),
        headers=headers,
        body=orjson.dumps(body) if body is not None else b"",
    )


def _response(request: dict[str, Any], answer: Answer) -> dict[str, Any]:
    return {
        "body": answer.body,
        "httpHeaders": answer.headers,
        "httpStatusCode": answer.status,
        "referenceId": request["referenceId"],
    }


def _halted(request: dict[str, Any]) -> dict[str, Any]:
    message = "The transaction was rolled back since another operation in the same transaction failed."
    return _response(request, Answer(status=400, body=Refusal(400, "PROCESSING_HALTED", message).body()))


def _resolved(text: str, results: dict[str, Any]) -> str:
    return _REFERENCE.sub(lambda match: str(_look_up(match.group(1), results)), text)


def _resolved_deep(value: Any, results: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return _resolved(value, results)
    if isinstance(value, dict):
        return {name: _resolved_deep(each, results) for name, each in value.items()}
    if isinstance(value, list):
        return [_resolved_deep(each, results) for each in value]
    return value


def _look_up(expression: str, results: dict[str, Any]) -> Any:
    """Return what `ref.records[0].Id` means among earlier results; KeyError if it means nothing."""
    steps = [name or int(place) for name, place in _STEP.findall(expression)]
    found: Any = orjson.loads(orjson.dumps(results[str(steps[0])])) if str(steps[0]) in results else None
    for step in steps[1:]:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError) as error:
            raise KeyError(expression) from error
    if found is None:
        raise KeyError(expression)
    return found


def run_batch(call: Call, dispatch: Dispatch) -> Answer:
    """Answer POST /composite/batch."""
    asked = call.json()
    requests = asked.get("batchRequests")
    if not isinstance(requests, list) or not requests:
        raise Refusal(400, "INVALID_INPUT", "batchRequests is required and must hold at least one subrequest")
    if len(requests) > _MOST:
        raise Refusal(400, "LIMIT_EXCEEDED", f"The request can't contain more than {_MOST} subrequests")
    results: list[dict[str, Any]] = []
    failed = False
    for request in requests:
        if failed and asked.get("haltOnError"):
            results.append(
                {
                    "statusCode": 412,
                    "result": Refusal(412, "BATCH_PROCESSING_HALTED", "Batch processing halted per request").body(),
                }
            )
            continue
        inner = _inner(
            call, str(request.get("method", "GET")).upper(), str(request.get("url", "")), {}, request.get("richInput")
        )
        answer = dispatch(inner) if inner else Answer(status=404, body=not_found().body())
        failed = failed or answer.status >= 400
        results.append({"statusCode": answer.status, "result": answer.body})
    parts = tuple(f"{each.get('method', 'GET')} {urlsplit(str(each.get('url'))).path}" for each in requests)
    return Answer(body={"hasErrors": failed, "results": results}, cost=len(requests), parts=parts)

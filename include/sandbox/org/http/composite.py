"""Several requests in one: `composite` counts once, `composite/batch` counts each."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.http.json_parts import part, parts, text
from include.sandbox.org.refusals import Refusal, not_found
from include.sandbox.org.writing.whole import kept

Dispatch = Callable[[Call], Answer]

_MOST = 25
_MOST_QUERIES = 5
_REFERENCE_ID = re.compile(r"[A-Za-z0-9_]+")
_REFERENCE = re.compile(r"@\{([^}]+)\}")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_SINCE_NULLS = 52.0  # from this version on, a reference to a field without a value is null
_COSTLY = re.compile(r"/(query|queryAll|composite/sobjects)(/|$)", re.IGNORECASE)


def run_composite(call: Call, dispatch: Dispatch) -> Answer:
    """Answer POST /composite."""
    asked = call.json()
    requests = parts(asked, "compositeRequest")
    if not requests:
        raise Refusal(400, "INVALID_INPUT", "compositeRequest is required and must hold at least one subrequest")
    _check(requests)
    responses = run_parts(call, requests, dispatch, all_or_none=asked.get("allOrNone") is True)
    return Answer(body={"compositeResponse": responses}, parts=told(requests))


def run_parts(
    call: Call, requests: list[dict[str, Any]], dispatch: Dispatch, *, all_or_none: bool
) -> list[dict[str, Any]]:
    """Run sub-requests one after the other; with all_or_none, the first that fails takes all others back."""
    results: dict[str, Any] = {}
    responses: list[dict[str, Any]] = []

    def run() -> bool:
        for request in requests:
            response = _run_one(call, request, results, dispatch)
            responses.append(response)
            if response["httpStatusCode"] < 400:
                results[request["referenceId"]] = response["body"]
            if all_or_none and _failed(response):
                return False
        return True

    if not all_or_none:
        run()
    elif not kept(call.org, run):
        failed = len(responses) - 1
        return [responses[failed] if place == failed else halted(each) for place, each in enumerate(requests)]
    return responses


def _failed(response: dict[str, Any]) -> bool:
    """Say whether a part failed, or a record of a collection in it: that undoes an all-or-none request too."""
    if response["httpStatusCode"] >= 400:
        return True
    body = response["body"]
    return isinstance(body, list) and any(isinstance(each, dict) and each.get("success") is False for each in body)


def check_requests(requests: Sequence[dict[str, Any]]) -> None:
    """Refuse sub-requests whose members are of the wrong type, or that can't be referred to."""
    for each in requests:
        _check_texts(each, "method", "url", "referenceId")
        part(each, "httpHeaders")
        if not text(each, "url") or not text(each, "referenceId"):
            raise Refusal(400, "INVALID_INPUT", "Every subrequest needs method, url and referenceId")
        if not isinstance(each["url"], str) or not isinstance(each["referenceId"], str):
            raise Refusal(400, "JSON_PARSER_ERROR", "Can not deserialize: url and referenceId are strings")


def _check_texts(request: dict[str, Any], *names: str) -> None:
    for name in names:
        text(request, name)


def _check(requests: Sequence[dict[str, Any]]) -> None:
    if len(requests) > _MOST:
        raise Refusal(400, "LIMIT_EXCEEDED", f"The request can't contain more than {_MOST} subrequests")
    check_requests(requests)
    for each in requests:
        if not _REFERENCE_ID.fullmatch(each["referenceId"]):
            raise Refusal(
                400,
                "INVALID_INPUT",
                f"Provided referenceId ('{each['referenceId']}') must start with a letter or a number, "
                "and it must contain only letters, numbers and underscores ('_').",
            )
    if len({each["referenceId"] for each in requests}) < len(requests):
        raise Refusal(400, "INVALID_INPUT", "Duplicate referenceId provided; each must be unique within the request")
    costly = sum(1 for each in requests if _COSTLY.search(each["url"].partition("?")[0]))
    if costly > _MOST_QUERIES:
        message = f"Can't have more than {_MOST_QUERIES} query or sObject collection subrequests in a composite request"
        raise Refusal(400, "LIMIT_EXCEEDED", message)


def _run_one(call: Call, request: dict[str, Any], results: dict[str, Any], dispatch: Dispatch) -> dict[str, Any]:
    try:
        url = _resolved(request["url"], results)
        nulls = float(call.version) >= _SINCE_NULLS
        body = _resolved_deep(request.get("body"), results, nulls=nulls)
    except KeyError as error:
        name = str(error.args[0])
        message = f"Invalid reference specified. No value for {name} found in {re.split(r'[.[]', name)[0]}."
        return _response(request, _halt(message))
    headers = {name.lower(): str(value) for name, value in part(request, "httpHeaders").items()}
    inner = _inner(call, text(request, "method", "GET").upper(), url, headers, body)
    return _response(request, dispatch(inner) if inner else Answer(status=404, body=not_found().body()))


def _inner(call: Call, method: str, url: str, headers: dict[str, str], body: Any) -> Call | None:
    """Return the sub-request as a call of its own, or None if its URL leads nowhere."""
    try:
        split = urlsplit(url if url.startswith("/") else f"/services/data/{url}")
    except ValueError:  # it begins like a host that is none
        return None
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


def halted(request: dict[str, Any]) -> dict[str, Any]:
    """Return the response of a part that another one took back."""
    message = "The transaction was rolled back since another operation in the same transaction failed."
    return _response(request, _halt(message))


def _halt(message: str) -> Answer:
    return Answer(status=400, body=[{"errorCode": "PROCESSING_HALTED", "message": message}])


def _resolved(text: str, results: dict[str, Any], *, nulls: bool = False) -> str:
    def told(match: re.Match[str]) -> str:
        found = _look_up(match.group(1), results, nulls=nulls)
        return "" if found is None else str(found)

    return _REFERENCE.sub(told, text)


def _resolved_deep(value: Any, results: dict[str, Any], *, nulls: bool) -> Any:
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        return _look_up(whole.group(1), results, nulls=nulls) if whole else _resolved(value, results, nulls=nulls)
    if isinstance(value, dict):
        return {name: _resolved_deep(each, results, nulls=nulls) for name, each in value.items()}
    if isinstance(value, list):
        return [_resolved_deep(each, results, nulls=nulls) for each in value]
    return value


def _look_up(expression: str, results: dict[str, Any], *, nulls: bool) -> Any:
    """Return what `ref.records[0].Id` means among earlier results; KeyError if it means nothing."""
    steps = [name or int(place) for name, place in _STEP.findall(expression)]
    if not steps or str(steps[0]) not in results:
        raise KeyError(expression)
    found: Any = orjson.loads(orjson.dumps(results[str(steps[0])]))
    for step in steps[1:]:
        try:
            found = found[step]
        except (KeyError, IndexError, TypeError) as error:
            raise KeyError(expression) from error
    if found is None and not nulls:
        raise KeyError(expression)
    return found


def run_batch(call: Call, dispatch: Dispatch) -> Answer:
    """Answer POST /composite/batch."""
    asked = call.json()
    requests = parts(asked, "batchRequests")
    for each in requests:
        _check_texts(each, "method", "url")
    if not requests:
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
        inner = _inner(call, text(request, "method", "GET").upper(), text(request, "url"), {}, request.get("richInput"))
        answer = dispatch(inner) if inner else Answer(status=404, body=not_found().body())
        failed = failed or answer.status >= 400
        results.append({"statusCode": answer.status, "result": answer.body})
    return Answer(body={"hasErrors": failed, "results": results}, cost=len(requests), parts=told(requests))


def told(requests: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """Return method and path of each sub-request, for the log of calls."""
    return tuple(f"{text(each, 'method', 'GET')} {text(each, 'url').partition('?')[0]}" for each in requests)

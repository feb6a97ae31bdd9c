"""Ask several questions in one API call: ``POST /composite`` counts once and holds at most five queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson

from include.errors import ServerFault
from include.records import Describe
from include.salesforce.describe import describe_tail, read_describe
from include.salesforce.query import QueryPage, query_path, read_count, read_page
from include.salesforce.refusals import Attempt, refusal
from include.salesforce.rest import Call, Rest

MOST_REQUESTS = 25
MOST_QUERIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SubRequest:
    """Hold one question inside a composite call; only questions that read."""

    url: str
    reference: str
    object: str = ""
    is_query: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubResponse:
    """Hold the answer to one sub-request; `status` 400 and above is a refusal, 304 means not modified."""

    reference: str
    status: int
    headers: Mapping[str, str]
    body: Any
    attempt: Attempt  # what was asked, for messages
    answered_at: datetime  # by our clock, from which a pause is counted

    @property
    def ok(self) -> bool:
        """Return whether the org answered the question."""
        return self.status < 400


def page_in(response: SubResponse) -> QueryPage:
    """Return the first page in an answer to a `probe_request`.

    Raises:
        QueryRefused: the org cannot run the query. Other errors of `include.errors` as for a call of its own.
    """
    return read_page(body_of(response), response.attempt)


def count_in(response: SubResponse) -> int:
    """Return the number in an answer to a `count_request`; raises as `page_in` does."""
    return read_count(body_of(response), response.attempt)


def describe_in(response: SubResponse) -> Describe | None:
    """Return the description in an answer to a `describe_request`, or None when it did not change.

    Raises as `page_in` does.
    """
    if response.status == 304:
        return None
    lowered = {key.lower(): value for key, value in response.headers.items()}
    return read_describe(body_of(response), lowered.get("last-modified"))


def probe_request(rest: Rest, soql: str, reference: str, *, object: str, all_rows: bool) -> SubRequest:
    """Return a sub-request that runs `soql`."""
    url = query_path(rest, soql, all_rows=all_rows)
    return SubRequest(url=url, reference=reference, object=object, is_query=True)


def describe_request(rest: Rest, object: str, if_modified_since: str | None, reference: str) -> SubRequest:
    """Return a sub-request that describes `object`."""
    headers = {"If-Modified-Since": if_modified_since} if if_modified_since else {}
    return SubRequest(url=rest.versioned(describe_tail(object)), reference=reference, object=object, headers=headers)


def explain_request(api_version: str, soql: str, reference: str, *, object: str) -> SubRequest:
    """Return a sub-request that lets the org plan `soql` and read nothing; read it with `plan_in`."""
    url = f"/services/data/v{api_version}/query?explain={quote(soql, safe='')}"
    return SubRequest(url=url, reference=reference, object=object, is_query=True)


def plan_in(response: SubResponse) -> Any:
    """Return how the org would run a query; raises as `page_in` does when it would not."""
    return body_of(response)


def send(rest: Rest, requests: Sequence[SubRequest], *, purpose: str, object: str) -> list[SubResponse]:
    """Return the answers in the order of the requests."""
    _check(requests)
    call = Call(
        method="POST",
        path=rest.versioned("composite"),
        doing=f"ask about {object or 'several objects'}",
        purpose=purpose,
        object=object,
        read_seconds=600,  # five queries in a row; the org itself gives up after ten minutes
        body={"allOrNone": False, "compositeRequest": [_written(each) for each in requests]},
        exact=any(each.is_query for each in requests),
    )
    answer = rest.read(call)
    attempt = rest.attempt(call)
    try:
        by_reference = {each["referenceId"]: each for each in answer["compositeResponse"]}
        return [_read(by_reference[each.reference], each, attempt, rest.clock()) for each in requests]
    except (KeyError, TypeError) as error:
        raise ServerFault(
            f"could not {attempt.doing}: {attempt.host} left out answers to a composite call; it can be tried again"
        ) from error


def _check(requests: Sequence[SubRequest]) -> None:
    if not 1 <= len(requests) <= MOST_REQUESTS:
        raise ValueError(f"a composite call holds 1 to {MOST_REQUESTS} sub-requests, not {len(requests)}")
    if sum(each.is_query for each in requests) > MOST_QUERIES:
        raise ValueError(f"a composite call holds at most {MOST_QUERIES} queries")
    if len({each.reference for each in requests}) != len(requests):
        raise ValueError("two sub-requests have the same reference")


def _written(request: SubRequest) -> dict[str, Any]:
    written: dict[str, Any] = {"method": "GET", "url": request.url, "referenceId": request.reference}
    if request.headers:
        written["httpHeaders"] = dict(request.headers)
    return written


def _read(answer: Mapping[str, Any], request: SubRequest, whole: Attempt, now: datetime) -> SubResponse:
    verb = "query" if request.is_query else "describe"
    return SubResponse(
        reference=request.reference,
        status=answer["httpStatusCode"],
        headers=answer.get("httpHeaders") or {},
        body=answer.get("body"),
        attempt=Attempt(doing=f"{verb} {request.object or 'an object'}", host=whole.host, object=request.object),
        answered_at=now,
    )


def body_of(response: SubResponse) -> Any:
    """Return the body of an answer, or raise what is wrong with it."""
    if response.ok:
        return response.body
    raise refusal(response.status, {}, orjson.dumps(response.body, default=str), response.attempt, response.answered_at)

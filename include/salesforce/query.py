"""Read rows by REST, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import orjson

from include.errors import ServerFault
from include.salesforce.refusals import Attempt, refusal
from include.salesforce.rest import Call, Rest

# The org refuses 16,384 bytes of URL and headers together; an access token and our headers take some of them.
LONGEST_PATH = 13_000


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPage:
    """Hold one page of a query: up to 2,000 records as the org wrote them, without their ``attributes``.

    `total` counts all matching records, not those of this page; `next_url` is None on the last page.
    """

    total: int
    records: list[dict[str, Any]]
    next_url: str | None


def pages(rest: Rest, soql: str, *, all_rows: bool, purpose: str, object: str) -> Iterator[QueryPage]:
    """Yield the pages of a query."""
    page = _first_page(rest, soql, all_rows=all_rows, purpose=purpose, object=object)
    yield page
    while page.next_url is not None:
        page = next_page(rest, page.next_url, purpose=purpose, object=object)
        yield page


def next_page(rest: Rest, url: str, *, purpose: str, object: str) -> QueryPage:
    """Return the page behind a `next_url`."""
    call = Call(path=url, doing=_doing(object), purpose=purpose, object=object, exact=True)
    return read_page(rest.read(call), rest.attempt(call))


def count(rest: Rest, soql: str, *, all_rows: bool, object: str) -> int:
    """Return the result of a ``SELECT COUNT()``."""
    path = query_path(rest, soql, all_rows=all_rows)
    call = Call(path=path, doing=f"count {object or 'records'}", purpose="count", object=object)
    return read_count(rest.read(call), rest.attempt(call))


def is_long(soql: str) -> bool:
    """Return whether a query is too long for a URL, in which each comma takes three bytes."""
    return len(quote(soql, safe="")) > LONGEST_PATH - 100


def query_path(rest: Rest, soql: str, *, all_rows: bool) -> str:
    """Return the path that runs `soql`."""
    return rest.versioned(f"{'queryAll' if all_rows else 'query'}?q={quote(soql, safe='')}")


def read_page(answer: Any, attempt: Attempt) -> QueryPage:
    """Return the page in a query's JSON; pure.

    Raises:
        ServerFault: the JSON is no query result, or ends before its records do.
    """
    try:
        records: list[dict[str, Any]] = answer["records"]
        for record in records:
            record.pop("attributes", None)  # type and URL only; both are known
        page = QueryPage(total=answer["totalSize"], records=records, next_url=answer.get("nextRecordsUrl") or None)
        done = answer["done"]
    except (KeyError, TypeError, AttributeError) as error:
        raise _no_result(attempt) from error
    if not done and page.next_url is None:
        raise ServerFault(
            f"could not {attempt.doing}: {attempt.host} says that more of its {page.total} records follow, but not"
            " where; it can be tried again"
        )
    return page


def read_count(answer: Any, attempt: Attempt) -> int:
    """Return the number in the JSON of a ``SELECT COUNT()``; pure, raises as `read_page`."""
    try:
        return int(answer["totalSize"])
    except (KeyError, TypeError, ValueError) as error:
        raise _no_result(attempt) from error


def _first_page(rest: Rest, soql: str, *, all_rows: bool, purpose: str, object: str) -> QueryPage:
    path = query_path(rest, soql, all_rows=all_rows)
    call = Call(path=path, doing=_doing(object), purpose=purpose, object=object, exact=True)
    if len(path) <= LONGEST_PATH:
        return read_page(rest.read(call), rest.attempt(call))
    return read_page(_read_in_body(rest, path, call), rest.attempt(call))


def _read_in_body(rest: Rest, path: str, call: Call) -> Any:
    """Return a query's JSON through a composite call, whose body carries what is too long for a URL."""
    wrapped = replace(
        call,
        method="POST",
        path=rest.versioned("composite"),
        body={"compositeRequest": [{"method": "GET", "url": path, "referenceId": "query"}]},
    )
    answer = rest.read(wrapped)["compositeResponse"][0]
    if answer["httpStatusCode"] >= 300:
        raise refusal(
            answer["httpStatusCode"], {}, orjson.dumps(answer["body"], default=str), rest.attempt(call), rest.clock()
        )
    return answer["body"]


def _doing(object: str) -> str:
    return f"query {object}" if object else "query"


def _no_result(attempt: Attempt) -> ServerFault:
    return ServerFault(
        f"could not {attempt.doing}: {attempt.host} answered with JSON that is no query result; it can be tried again"
    )

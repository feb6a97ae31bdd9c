"""Ask several questions in one API call: ``POST /composite`` counts once and holds at most five queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from include.records import Describe
from include.salesforce.describe import read_describe
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

    @property
    def ok(self) -> bool:
        """Return whether the org answered the question."""
        return self.status < 400


def page_in(response: SubResponse) -> QueryPage:
    """Return the first page in an answer to a `probe_request`.

    Raises:
        QueryRefused: the org cannot run the query. Other errors of `include.errors` as for a call of its own.
    """
    return read_page(_body(response), response.attempt)


def count_in(response: SubResponse) -> int:
    """Return the number in an answer to a `count_request`; raises as `page_in` does."""
    return read_count(_body(response), response.attempt)


def describe_in(response: SubResponse) -> Describe | None:
    """Return the description in an answer to a `describe_request`, or None when it did not change; raises as `page_in`."""
    if response.status == 304:
        return None
    lowered = {key.lower(): value for key, value in response.headers.items()}
    return read_describe(_body(response), lowered.get("last-modified"))

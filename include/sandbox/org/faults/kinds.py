"""The kinds of faults: what each does to a call, and which calls it can befall."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Effect(Enum):
    """Say where a fault strikes."""

    ANSWER = "answer"  # something else is answered, and the org never sees the call
    ERROR = "error"  # the org refuses, in the words and the shape of the API that was called
    PAGE = "page"  # a proxy in front of the org answers with a page
    WIRE = "wire"  # the connection suffers
    ORG = "org"  # something happens in the org first, then the call goes on
    JOB = "job"  # the Bulk job that this call makes will end so


class To(Enum):
    """Say which calls a kind can befall."""

    ANY = "any"
    SIGNED_IN = "signed in"
    QUERIES = "queries"
    LOCATORS = "locators"
    WRITES = "writes"
    NEW_JOBS = "new jobs"
    JOBS = "jobs"
    GZIP = "gzip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Hold one kind; `planned` ones are those that a client should survive, so that a plan picks them by itself."""

    name: str
    effect: Effect
    to: To = To.ANY
    status: int = 0
    code: str = ""
    message: str = ""
    retry_after: bool = False
    planned: bool = True


_UNEXPECTED = (
    "An unexpected error occurred. Please include this ErrorId if you contact support: 1788120445-21400 (-1532607341)"
)
_LOCKED = "unable to obtain exclusive access to this record or 1 records: {id}"
_TOO_LONG = "Your query request was running for too long."

_ALL = (
    Kind(name="answer", effect=Effect.ANSWER, planned=False),
    Kind(name="slow", effect=Effect.ANSWER),
    # Refused by the org itself.
    Kind(name="server_error", effect=Effect.ERROR, status=500, code="UNKNOWN_EXCEPTION", message=_UNEXPECTED),
    Kind(
        name="server_unavailable", effect=Effect.ERROR, status=503, code="SERVER_UNAVAILABLE",
        message="Server unavailable", retry_after=True,
    ),
    Kind(
        name="request_limit", effect=Effect.ERROR, to=To.SIGNED_IN, status=403, code="REQUEST_LIMIT_EXCEEDED",
        message="TotalRequests Limit exceeded.", planned=False,
    ),
    Kind(
        name="concurrent_limit", effect=Effect.ERROR, to=To.SIGNED_IN, status=403, code="REQUEST_LIMIT_EXCEEDED",
        message="ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
    ),
    Kind(
        name="query_timeout", effect=Effect.ERROR, to=To.QUERIES, status=400, code="QUERY_TIMEOUT", message=_TOO_LONG
    ),
    Kind(
        name="lock_row", effect=Effect.ERROR, to=To.WRITES, status=400, code="UNABLE_TO_LOCK_ROW", message=_LOCKED
    ),
    Kind(
        name="locator_lost", effect=Effect.ERROR, to=To.LOCATORS, status=400, code="INVALID_QUERY_LOCATOR",
        message="invalid query locator", planned=False,
    ),
    # Answered by what stands in front of the org.
    Kind(name="no_route", effect=Effect.PAGE, status=420),
    Kind(name="too_many_requests", effect=Effect.PAGE, status=429, retry_after=True),
    Kind(name="bad_gateway", effect=Effect.PAGE, status=502),
    Kind(name="maintenance", effect=Effect.PAGE, status=503, retry_after=True),
    Kind(name="gateway_timeout", effect=Effect.PAGE, status=504),
    Kind(name="html_200", effect=Effect.PAGE, status=200),
    # The connection.
    Kind(name="reset", effect=Effect.WIRE),
    Kind(name="reset_in_body", effect=Effect.WIRE),
    Kind(name="half_body", effect=Effect.WIRE),
    Kind(name="cut_chunked", effect=Effect.WIRE),
    Kind(name="truncated_gzip", effect=Effect.WIRE, to=To.GZIP),
    Kind(name="slow_drip", effect=Effect.WIRE),
    Kind(name="lost_answer", effect=Effect.WIRE, planned=False),
    Kind(name="hang", effect=Effect.WIRE, planned=False),
    # What happens in the org meanwhile.
    Kind(name="expire_sessions", effect=Effect.ORG, to=To.SIGNED_IN),
    Kind(name="late_commit", effect=Effect.ORG, to=To.SIGNED_IN, planned=False),
    Kind(name="equal_stamps", effect=Effect.ORG, to=To.SIGNED_IN, planned=False),
    Kind(name="schema_change", effect=Effect.ORG, to=To.SIGNED_IN, planned=False),
    Kind(name="command", effect=Effect.ORG, to=To.SIGNED_IN, planned=False),
    Kind(name="job_lost", effect=Effect.ORG, to=To.JOBS, planned=False),
    # The end of a Bulk job.
    Kind(name="job_failed", effect=Effect.JOB, to=To.NEW_JOBS),
    Kind(name="job_timed_out", effect=Effect.JOB, to=To.NEW_JOBS, planned=False),
    Kind(name="job_aborted", effect=Effect.JOB, to=To.NEW_JOBS, planned=False),
    Kind(name="job_stuck", effect=Effect.JOB, to=To.NEW_JOBS),
)  # fmt: skip
KINDS: dict[str, Kind] = {each.name: each for each in _ALL}
JOB_STATES = {"job_failed": "Failed", "job_timed_out": "TimedOut", "job_aborted": "Aborted", "job_stuck": "Stuck"}

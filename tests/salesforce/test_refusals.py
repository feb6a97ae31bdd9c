"""Every refusal of the org that is documented becomes the error that says what happens next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from include.errors import (
    ApiDisabled,
    AuthError,
    BudgetPaused,
    DefinitionError,
    FatalError,
    HeadwaterError,
    JobFailed,
    QueryRefused,
    QueryTooSlow,
    RateLimited,
    RetryableError,
    ServerFault,
)
from include.salesforce.refusals import Attempt, refusal

NOW = datetime(2026, 1, 31, 10, 0, tzinfo=UTC)
QUERY = Attempt(doing="query Contact", host="acme.my.salesforce.com", object="Contact")
JOB = Attempt(doing="ask for Bulk job 750", host="acme.my.salesforce.com", object="Contact", is_job=True)


def _refusal(
    status: int, code: str, message: str = "", attempt: Attempt = QUERY, headers: dict[str, str] | None = None
) -> HeadwaterError:
    body = orjson.dumps([{"message": message, "errorCode": code}]) if code else b"<html>Oops</html>"
    return refusal(status, headers or {"content-type": "text/html"}, body, attempt, NOW)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "INVALID_SESSION_ID", AuthError),
        (401, "", AuthError),
        (403, "REQUEST_LIMIT_EXCEEDED", BudgetPaused),
        (400, "LIMIT_EXCEEDED", BudgetPaused),
        (400, "EXCEEDED_QUOTA", BudgetPaused),
        (403, "API_DISABLED_FOR_ORG", ApiDisabled),
        (403, "API_CURRENTLY_DISABLED", ApiDisabled),
        (400, "MALFORMED_QUERY", QueryRefused),
        (400, "INVALID_FIELD", QueryRefused),
        (400, "INVALID_TYPE", QueryRefused),
        (400, "INVALIDENTITY", QueryRefused),
        (400, "INVALID_QUERY_FILTER_OPERATOR", QueryRefused),
        (400, "NUMBER_OUTSIDE_VALID_RANGE", QueryRefused),
        (400, "OPERATION_TOO_LARGE", QueryRefused),
        (400, "QUERY_TOO_COMPLICATED", QueryRefused),
        (400, "EXCEEDED_ID_LIMIT", QueryRefused),
        (400, "FUNCTIONALITY_NOT_ENABLED", QueryRefused),
        (400, "INVALID_REPLICATION_DATE", QueryRefused),
        (400, "MALFORMED_ID", QueryRefused),
        (404, "NOT_FOUND", QueryRefused),
        (414, "", QueryRefused),
        (431, "", QueryRefused),
        (410, "UNSUPPORTED_API_VERSION", DefinitionError),
        (400, "QUERY_TIMEOUT", QueryTooSlow),
        (400, "REQUEST_RUNNING_TOO_LONG", QueryTooSlow),
        (400, "INVALID_QUERY_LOCATOR", RetryableError),
        (400, "UNABLE_TO_LOCK_ROW", ServerFault),
        (503, "SERVER_UNAVAILABLE", ServerFault),
        (500, "UNKNOWN_EXCEPTION", ServerFault),
        (502, "", ServerFault),
        (420, "", RateLimited),
        (429, "", RateLimited),
        (403, "INSUFFICIENT_ACCESS_OR_READONLY", AuthError),
        (403, "", AuthError),
        (302, "", FatalError),
        (400, "JSON_PARSER_ERROR", FatalError),
        (405, "METHOD_NOT_ALLOWED", FatalError),
        (200, "", ServerFault),
    ],
)
def test_a_refusal_becomes_the_error_of_what_happens_next(
    status: int, code: str, expected: type[HeadwaterError]
) -> None:
    """By status and code; the message begins with what was being done, to what."""
    error = _refusal(status, code)
    assert type(error) is expected
    assert "could not query Contact: acme.my.salesforce.com answered" in str(error)


def test_a_used_up_allowance_pauses_for_a_quarter_of_an_hour() -> None:
    """Until a time, so that waiting spends no try."""
    error = _refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    assert isinstance(error, BudgetPaused)
    assert error.until == NOW + timedelta(minutes=15)


def test_an_unknown_field_is_named() -> None:
    """Object and field, as the org names them, and nothing else of its text."""
    error = _refusal(
        400,
        "INVALID_FIELD",
        "\nSELECT Foo FROM Contact WHERE Email = 'ada@example.com'\n ^\nERROR at Row:1:Column:8\n"
        "No such column 'Foo' on entity 'Contact'. If you are attempting to use a custom field, …",
    )
    assert isinstance(error, QueryRefused)
    assert error.code == "INVALID_FIELD"
    assert "Contact has no field Foo" in str(error)
    assert "ada@example.com" not in str(error)


def test_an_unknown_object_is_named() -> None:
    """As the org names it."""
    error = _refusal(400, "INVALID_TYPE", "ERROR at Row:1:Column:21\nsObject type 'XYZZY' is not supported. If you …")
    assert "there is no object XYZZY" in str(error)


def test_a_malformed_query_is_placed_and_not_quoted() -> None:
    """The org quotes the query, which may hold a person's data."""
    error = _refusal(
        400, "MALFORMED_QUERY", "\nWHERE Phone = '+1 555'\n ^\nERROR at Row:2:Column:7\nunexpected token: 'x'"
    )
    assert "at row 2, column 7 of the query" in str(error)
    assert "555" not in str(error)


@pytest.mark.parametrize(("status", "code"), [(404, "NOT_FOUND"), (409, "")])
def test_a_job_that_is_gone_is_a_failed_job(status: int, code: str) -> None:
    """A new one can be made."""
    assert type(_refusal(status, code, attempt=JOB)) is JobFailed


def test_the_asked_for_pause_is_passed_on() -> None:
    """Retry-After in seconds."""
    error = _refusal(429, "", headers={"retry-after": "120"})
    assert isinstance(error, RateLimited)
    assert error.retry_after_seconds == 120

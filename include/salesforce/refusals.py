"""Say which of our errors a refusal of the org is; pure.

Errors are told apart by HTTP status and ``errorCode``, never by the wording of a message. From the wording only API
names are taken, to name the object or field: the rest of it may quote our query or a record.
Source: REST API guide, "Status Codes and Error Responses"; SOAP API guide, ExceptionCode.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

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
from include.salesforce.repeats import read_error, retry_after

BUDGET_PAUSE = timedelta(minutes=15)

_BUDGET = frozenset({"REQUEST_LIMIT_EXCEEDED", "LIMIT_EXCEEDED", "EXCEEDED_QUOTA"})
_DISABLED = frozenset({"API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED"})
_TOO_SLOW = frozenset({"QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG"})
_BUSY = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE"})
_EXPIRED = frozenset({"INVALID_QUERY_LOCATOR", "INVALID_LOCATOR"})
_QUERY = frozenset(
    {
        "MALFORMED_QUERY",
        "INVALID_FIELD",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "INVALID_TYPE",
        "INVALIDENTITY",
        "INVALID_QUERY_FILTER_OPERATOR",
        "INVALID_REPLICATION_DATE",
        "MALFORMED_ID",
        "NUMBER_OUTSIDE_VALID_RANGE",
        "OPERATION_TOO_LARGE",
        "QUERY_TOO_COMPLICATED",
        "EXCEEDED_ID_LIMIT",
        "FUNCTIONALITY_NOT_ENABLED",
        "API_ERROR",
    }
)
_COLUMN = re.compile(r"No such column '([A-Za-z][\w.]*)' on entity '([A-Za-z]\w*)'")
_OBJECT = re.compile(r"sObject type '([A-Za-z]\w*)' is not supported")
_PLACE = re.compile(r"ERROR at Row:(\d+):Column:(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Say what was being done, to what: the beginning of every message."""

    doing: str  # "query Contact"
    host: str
    object: str = ""
    is_job: bool = False  # about a Bulk job that may be gone


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    status: int
    code: str
    text: str
    headers: Mapping[str, str]
    attempt: Attempt
    now: datetime

    @property
    def start(self) -> str:
        code = self.code or f"HTTP {self.status}"
        return f"could not {self.attempt.doing}: {self.attempt.host} answered {code}"


def refusal(status: int, headers: Mapping[str, str], body: bytes, attempt: Attempt, now: datetime) -> HeadwaterError:
    """Return the error for an answer that is not what was asked for.

    Args:
        status: HTTP status; below 300 it means that the body was not what it should be.
        headers: with lower-case names.
        body: as it came.
        attempt: what was being done.
        now: our clock, from which a pause is counted.
    """
    code, text = read_error(body)
    fault = _Fault(status=status, code=code, text=text, headers=headers, attempt=attempt, now=now)
    for applies, make in _RULES:
        if applies(fault):
            return make(fault)
    return FatalError(f"{fault.start}; this is not one of the refusals that Headwater knows, look it up in the org")


def _budget(fault: _Fault) -> HeadwaterError:
    until = fault.now + BUDGET_PAUSE
    return BudgetPaused(
        f"{fault.start}: its allowance of API calls or jobs is used up; "
        f"tried again at {until:%H:%M} UTC, or raise the allowance in the org",
        until=until,
    )


def _disabled(fault: _Fault) -> HeadwaterError:
    return ApiDisabled(
        f"{fault.start}: the API is switched off for this org or user; "
        "an administrator must give the user's profile the permission “API Enabled” (or the org an edition with API)"
    )


def _session(fault: _Fault) -> HeadwaterError:
    return AuthError(
        f"{fault.start}: the session is refused, also after a fresh sign-in; check that the connection's user may use "
        "the API from this network, and that the token of a connection with a fixed access_token has not expired"
    )


def _refused_query(fault: _Fault) -> HeadwaterError:
    return QueryRefused(f"{fault.start}{_named(fault)}", code=fault.code)


def _named(fault: _Fault) -> str:
    """Return what the org complains about, by API names only."""
    column, entity, place = _COLUMN.search(fault.text), _OBJECT.search(fault.text), _PLACE.search(fault.text)
    if column:
        return (
            f": {column[2]} has no field {column[1]} that this user can see; "
            "correct the definition or give the user access to the field"
        )
    if entity:
        return (
            f": there is no object {entity[1]} that this user can see; "
            "correct the definition (custom objects end in __c) or give the user access to the object"
        )
    at = f" at row {place[1]}, column {place[2]} of the query" if place else ""
    return f"{at}; correct the object's definition, the org cannot run this query"


def _not_found(fault: _Fault) -> HeadwaterError:
    if fault.attempt.is_job:
        return JobFailed(f"{fault.start}: the job or its result is gone; a new job is needed")
    name = fault.attempt.object or "the resource"
    return QueryRefused(
        f"{fault.start}: there is no {name} that this user can see; correct the definition or give the user access",
        code=fault.code or "NOT_FOUND",
    )


def _version(fault: _Fault) -> HeadwaterError:
    return DefinitionError(f"{fault.start}: this org no longer speaks the API version; raise it", key="api_version")


def _wrong_version(fault: _Fault) -> HeadwaterError:
    return JobFailed(f"{fault.start}: the job was made with another API version; a new job is needed")


def _too_slow(fault: _Fault) -> HeadwaterError:
    return QueryTooSlow(f"{fault.start}: the org took too long over it; it can be tried again, or read fewer fields")


def _expired(fault: _Fault) -> HeadwaterError:
    return RetryableError(f"{fault.start}: the place in the result has expired; read it again from its beginning")


def _slow_down(fault: _Fault) -> HeadwaterError:
    seconds = retry_after(fault.headers)
    return RateLimited(f"{fault.start}: too many requests at once; it can be tried again", retry_after_seconds=seconds)


def _server(fault: _Fault) -> HeadwaterError:
    return ServerFault(f"{fault.start}: a fault on its side; it can be tried again (see status.salesforce.com)")


def _page(fault: _Fault) -> HeadwaterError:
    return ServerFault(
        f"could not {fault.attempt.doing}: {fault.attempt.host} answered with something else than the API does "
        f"(HTTP {fault.status}, {fault.headers.get('content-type', 'no type')}); it can be tried again, "
        "and if it stays, look whether the org is in maintenance or a proxy stands between"
    )


def _moved(fault: _Fault) -> HeadwaterError:
    return FatalError(
        f"{fault.start}: it sends us to another address; put the org's own My Domain host into the connection"
    )


def _too_long(fault: _Fault) -> HeadwaterError:
    return QueryRefused(f"{fault.start}: the query is too long for the org; read fewer fields", code="URI_TOO_LONG")


def _rights(fault: _Fault) -> HeadwaterError:
    return AuthError(
        f"{fault.start}: the connection's user lacks the right; an administrator of the org must give it, "
        "or the connection must name another user"
    )


def _code_in(codes: frozenset[str]) -> Callable[[_Fault], bool]:
    return lambda fault: fault.code in codes


def _status_in(*statuses: int) -> Callable[[_Fault], bool]:
    return lambda fault: fault.status in statuses


# Read from the top; the first that applies decides. Codes come before statuses, because they say more.
_RULES: tuple[tuple[Callable[[_Fault], bool], Callable[[_Fault], HeadwaterError]], ...] = (
    (lambda fault: fault.status < 300, _page),
    (_code_in(_BUDGET), _budget),
    (_code_in(_DISABLED), _disabled),
    (_code_in(frozenset({"UNSUPPORTED_API_VERSION"})), _version),
    (_code_in(_TOO_SLOW), _too_slow),
    (_code_in(_EXPIRED), _expired),
    (_code_in(_BUSY), _server),
    (lambda fault: fault.code in _QUERY and not fault.attempt.is_job, _refused_query),
    (_status_in(401), _session),
    (_status_in(420, 429), _slow_down),
    (_status_in(300, 301, 302, 303, 307, 308), _moved),
    (_status_in(404), _not_found),
    (_status_in(409), _wrong_version),
    (_status_in(410), _version),
    (_status_in(414, 431), _too_long),
    (_status_in(403), _rights),
    (lambda fault: fault.status >= 500, _server),
)

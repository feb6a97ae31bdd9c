"""Ask an org what its user may do there, in few calls: what the questions mean is judged in `connection`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from include.errors import HeadwaterError
from include.fields import cursor_field
from include.salesforce import composite
from include.salesforce.composite import SubRequest, SubResponse
from include.salesforce.connection import Answers, ObjectAnswer
from include.salesforce.rest import Call, Rest
from include.salesforce.soql import name as api_name

_ORGANIZATION = "SELECT Id, Name, InstanceName, IsSandbox, OrganizationType, TrialExpirationDate FROM Organization"
_AUDIT = "SELECT Id FROM SetupAuditTrail LIMIT 1"
_SEES = "SELECT PermissionsViewAllData FROM UserPermissionAccess LIMIT 1"
_PURPOSE = "check"


def ask(rest: Rest, objects: Sequence[str], versions: tuple[str, ...]) -> Answers:
    """Return what the org says; costs three calls, and one more for each five objects.

    Raises:
        AuthError, Unreachable: there is no sign-in.
    """
    session = rest.session()
    requests = [
        *(
            composite.probe_request(rest, soql, reference, object=object, all_rows=False)
            for reference, object, soql in (
                ("organization", "Organization", _ORGANIZATION),
                ("audit", "SetupAuditTrail", _AUDIT),
                ("sees", "UserPermissionAccess", _SEES),
            )
        ),
        *(
            composite.probe_request(
                rest, f"SELECT Id FROM {api_name(each)} LIMIT 1", f"read_{place}", object=each, all_rows=True
            )
            for place, each in enumerate(objects)
        ),
    ]
    describes = [
        composite.describe_request(rest, name, None, f"describe_{place}") for place, name in enumerate(objects)
    ]
    replies = {each.reference: each for each in _all(rest, requests, describes)}
    organization = _first(replies["organization"])
    sees = _first(replies["sees"])
    left, allowed = _calls(rest)
    return Answers(
        org_id=session.org_id,
        instance_url=session.instance_url,
        versions=versions,
        name=str(organization.get("Name") or ""),
        instance=str(organization.get("InstanceName") or ""),
        edition=str(organization.get("OrganizationType") or ""),
        is_sandbox=organization.get("IsSandbox"),
        trial_ends_at=str(organization.get("TrialExpirationDate") or "")[:10],
        calls_left=left,
        calls_allowed=allowed,
        objects=tuple(
            _object(name, replies[f"describe_{place}"], replies[f"read_{place}"]) for place, name in enumerate(objects)
        ),
        bulk_problem=_problem_of_bulk(rest),
        audit_problem=_problem(replies["audit"]),
        sees_everything=sees.get("PermissionsViewAllData"),
    )


def _all(rest: Rest, queries: Sequence[SubRequest], describes: Sequence[SubRequest]) -> Iterator[SubResponse]:
    """Yield every answer: five queries fit into a call, and describes fill what is left of it."""
    waiting = list(describes)
    room = composite.MOST_REQUESTS - composite.MOST_QUERIES
    for start in range(0, len(queries), composite.MOST_QUERIES):
        together = [*queries[start : start + composite.MOST_QUERIES], *waiting[:room]]
        waiting = waiting[room:]
        yield from composite.send(rest, together, purpose=_PURPOSE, object="")
    for start in range(0, len(waiting), composite.MOST_REQUESTS):
        some = waiting[start : start + composite.MOST_REQUESTS]
        yield from composite.send(rest, some, purpose=_PURPOSE, object="")


def _object(name: str, described: SubResponse, read: SubResponse) -> ObjectAnswer:
    try:
        found = composite.describe_in(described)
    except HeadwaterError as error:
        return ObjectAnswer(object=name, describe_problem=str(error), read_problem=_problem(read))
    fields = found.fields if found is not None else ()
    return ObjectAnswer(
        object=name,
        fields=len(fields),
        stamped=found is not None and cursor_field(found) is not None,
        read_problem=_problem(read),
    )


def _problem(response: SubResponse) -> str:
    try:
        composite.page_in(response)
    except HeadwaterError as error:
        return str(error)
    return ""


def _first(response: SubResponse) -> dict[str, Any]:
    """Return the first record of an answer; {} when the org refused or has none."""
    if not response.ok:
        return {}
    records = composite.page_in(response).records
    return dict(records[0]) if records else {}


def _calls(rest: Rest) -> tuple[int | None, int | None]:
    found = rest.read_object("limits", doing="read the limits", purpose=_PURPOSE).get("DailyApiRequests") or {}
    return found.get("Remaining"), found.get("Max")


def _problem_of_bulk(rest: Rest) -> str:
    try:
        rest.read(Call(path=rest.versioned("jobs/query"), doing="list the Bulk jobs", purpose=_PURPOSE))
    except HeadwaterError as error:
        return str(error)
    return ""

"""Ask which records of an object were deleted in a span: also those that no query shows any more.

Source: REST API guide, "Get Deleted". The org looks at whole minutes, remembers some 15 days, and tells up to when its
list is whole: a transaction that is still open may delete more before that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from include.errors import ServerFault
from include.salesforce.composite import SubRequest, SubResponse, body_of
from include.salesforce.rest import Rest
from include.salesforce.soql import name

REMEMBERED = timedelta(days=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedRecords:
    """Hold the Ids of records that were deleted, and up to when the list is whole."""

    ids: tuple[str, ...]
    covered_at: datetime


def deleted_request(rest: Rest, object: str, start: datetime, end: datetime, reference: str) -> SubRequest:
    """Return a sub-request for what was deleted between two minutes, more than one apart."""
    span = urlencode({"start": _minute(start), "end": _minute(end)})
    return SubRequest(
        url=rest.versioned(f"sobjects/{name(object)}/deleted/?{span}"), reference=reference, object=object
    )


def deleted_in(response: SubResponse) -> DeletedRecords:
    """Return the list in an answer to a `deleted_request`.

    Raises:
        QueryRefused: the org keeps no such list for the object, or none that reaches back so far.
        ServerFault: the answer is not what the org promises. Other errors as for a call of its own.
    """
    body = body_of(response)
    try:
        return DeletedRecords(
            ids=tuple(each["id"] for each in body["deletedRecords"]),
            covered_at=datetime.fromisoformat(body["latestDateCovered"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ServerFault(
            f"could not {response.attempt.doing}: {response.attempt.host} sent no list of deleted records; it can be"
            " tried again"
        ) from error


def _minute(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00+00:00")

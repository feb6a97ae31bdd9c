"""Speak to one Salesforce org: the facade that the other rooms use.

Each method is one or a few HTTP requests. Every request that the org counts is metered before it is made; requests that
only read are repeated a few times, shortly, inside; anything longer is left to the caller's retry. What fails is one of
the errors of `include.errors`: its message says what was being done, to which org and object, and what to do next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType
from typing import Any
from urllib.parse import quote

from include.ports import Clock, FreeMeter, Meter, TokenStore
from include.records import Describe, OrgIdentity
from include.salesforce import bulk, composite, connection_questions, deleted, describe, query
from include.salesforce.auth import Credentials, Session
from include.salesforce.bulk import BulkJob, BulkPage
from include.salesforce.composite import SubRequest, SubResponse
from include.salesforce.connection import Answers
from include.salesforce.describe import ObjectSummary
from include.salesforce.query import QueryPage
from include.salesforce.rest import Rest, utc_now
from include.salesforce.transport import Transport
from include.salesforce.versions import api_versions


class SalesforceClient:
    """Speak to one org as one user; safe to use from several threads.

    Args:
        credentials: who signs in, where and how.
        api_version: version in the path, e.g. ``"63.0"``.
        meter: counts the calls and may refuse them (`BudgetPaused`).
        tokens: keeps the session, so that tasks share one sign-in; None keeps it in this object only.
        compress: ask for gzip answers; None means yes, except on loopback.
        clock: our own clock, for the times in errors; never used for windows (see `org_now`).
        transport: the HTTP below; None opens one.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        api_version: str = "63.0",
        meter: Meter | None = None,
        tokens: TokenStore | None = None,
        compress: bool | None = None,
        clock: Clock = utc_now,
        transport: Transport | None = None,
    ) -> None:
        self._rest = Rest(
            credentials,
            transport=transport or Transport(),
            api_version=api_version,
            meter=meter or FreeMeter(),
            tokens=tokens,
            compress=compress,
            clock=clock,
        )

    def __enter__(self) -> SalesforceClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the session stays valid."""
        self._rest.close()

    @property
    def api_version(self) -> str:
        """Return the API version in the path; a Bulk job is readable only with the version that made it."""
        return self._rest.api_version

    @property
    def way_in(self) -> str:
        """Return how the connection signs in: ``jwt_bearer``, ``refresh_token``, ``soap`` …."""
        return self._rest.way_in

    # --- the org itself -----------------------------------------------------------------------------------------

    def identity(self) -> OrgIdentity:
        """Return which org this is, from the session; signs in if need be, and costs no API call."""
        session = self._rest.session()
        return OrgIdentity(org_id=session.org_id, instance_url=session.instance_url)

    def living_session(self) -> Session:
        """Return a session that the org knows at this moment, for a client of another make. Costs one call."""
        self.limits()
        return self._rest.session()

    def org_now(self) -> datetime:
        """Return the org's clock in whole seconds, rounded down; costs no API call."""
        return self._rest.org_now()

    def limits(self) -> dict[str, Any]:
        """Return the org's limits as it gives them: name -> ``{"Max": …, "Remaining": …}``. Costs one call."""
        return self._rest.read_object("limits", doing="read the limits", purpose="limits")

    def record_counts(self, objects: Sequence[str]) -> dict[str, int]:
        """Return how many records the org counts of each object, about; those it doesn't count are missing.

        Deleted and archived records are not in it. Costs one call for each 100 objects.
        """
        found: dict[str, int] = {}
        for start in range(0, len(objects), 100):
            names = ",".join(objects[start : start + 100])
            tail = f"limits/recordCount?sObjects={quote(names, safe=',')}"
            answer = self._rest.read_object(tail, doing="count the records", purpose="forecast")
            found |= {each["name"]: each["count"] for each in answer.get("sObjects", ())}
        return found

    def connection_answers(self, objects: Sequence[str]) -> Answers:
        """Return who the org is and what its user may do there. Costs three calls, one more for each five objects."""
        versions = api_versions(self._rest.session().instance_url, self._rest.transport)
        return connection_questions.ask(self._rest, objects, versions)

    # --- several questions in one call --------------------------------------------------------------------------

    def probe_request(self, soql: str, reference: str, *, object: str = "", all_rows: bool = True) -> SubRequest:
        """Return a sub-request that runs `soql`, by default with deleted rows; read it with `composite.page_in`."""
        return composite.probe_request(self._rest, soql, reference, object=object, all_rows=all_rows)

    def count_request(self, soql: str, reference: str, *, object: str = "", all_rows: bool = False) -> SubRequest:
        """Return a sub-request for a ``SELECT COUNT() …``; read it with `composite.count_in`."""
        return composite.probe_request(self._rest, soql, reference, object=object, all_rows=all_rows)

    def describe_request(self, object: str, if_modified_since: str | None, reference: str) -> SubRequest:
        """Return a sub-request that describes `object`; read it with `composite.describe_in` (None: not modified)."""
        return composite.describe_request(self._rest, object, if_modified_since, reference)

    def deleted_request(self, object: str, start: datetime, end: datetime, reference: str) -> SubRequest:
        """Return a sub-request for what was deleted in a span; read it with `deleted.deleted_in`."""
        return deleted.deleted_request(self._rest, object, start, end, reference)

    def composite(self, requests: Sequence[SubRequest], *, purpose: str, object: str = "") -> list[SubResponse]:
        """Return the answers to up to 25 sub-requests, at most five of them queries, in order. Costs one call.

        A sub-request that the org refused is an answer, not an exception: `page_in`, `count_in` and `describe_in` of
        `include.salesforce.composite` raise what is wrong with the one they read.

        Raises:
            ValueError: too many sub-requests or queries, or a reference twice.
        """
        return composite.send(self._rest, requests, purpose=purpose, object=object)

    # --- metadata -----------------------------------------------------------------------------------------------

    def describe(self, object: str, *, if_modified_since: str | None = None) -> Describe | None:
        """Return the description of `object`, or None when it did not change since. Costs one call."""
        return describe.describe(self._rest, object, if_modified_since=if_modified_since)

    def list_objects(self) -> tuple[ObjectSummary, ...]:
        """Return every object that the user can see, in the org's order. Costs one call."""
        return describe.list_objects(self._rest)

    # --- rows by REST -------------------------------------------------------------------------------------------

    def query_pages(self, soql: str, *, all_rows: bool, purpose: str, object: str) -> Iterator[QueryPage]:
        """Yield the pages of a query, up to 2,000 records each; `all_rows` includes deleted ones. One call a page."""
        return query.pages(self._rest, soql, all_rows=all_rows, purpose=purpose, object=object)

    def next_page(self, url: str, *, purpose: str, object: str) -> QueryPage:
        """Return the page behind a `QueryPage.next_url`. Costs one call."""
        return query.next_page(self._rest, url, purpose=purpose, object=object)

    def count(self, soql: str, *, all_rows: bool = False, object: str = "") -> int:
        """Return the result of a ``SELECT COUNT() …``. Costs one call."""
        return query.count(self._rest, soql, all_rows=all_rows, object=object)

    # --- rows by Bulk API 2.0 -----------------------------------------------------------------------------------

    def bulk_create(self, soql: str, *, object: str, all_rows: bool = True) -> BulkJob:
        """Return a new query job; it includes deleted rows unless told otherwise. Costs one call."""
        return bulk.create(self._rest, soql, object=object, all_rows=all_rows)

    def bulk_state(self, job_id: str, *, object: str = "") -> BulkJob:
        """Return a job as it is now. Costs one call.

        Raises:
            JobFailed: the org does not know the job (any more).
        """
        return bulk.state(self._rest, job_id, object=object)

    def bulk_wait(
        self,
        job_id: str,
        *,
        sleep: Callable[[float], object],
        object: str = "",
        timeout_seconds: float = 14_400,
    ) -> BulkJob:
        """Return the job once it is complete, asking after growing pauses; one call each time it asks.

        Raises:
            JobFailed: the job ended Failed or Aborted, is unknown, or did not end in time.
        """
        return bulk.wait(self._rest, job_id, sleep=sleep, object=object, timeout_seconds=timeout_seconds)

    def bulk_results(
        self, job_id: str, *, locator: str = "", max_records: int | None = None, object: str = ""
    ) -> AbstractContextManager[BulkPage]:
        """Open one page of a complete job's CSV; `locator` "" is the first page. Costs one call.

        The page streams: take its chunks inside the ``with``; its first line is the header, on every page.
        An answer that breaks off raises `ConnectionLost` from the chunks, never a short end.
        """
        return bulk.results(self._rest, job_id, locator=locator, max_records=max_records, object=object)

    def bulk_abort(self, job_id: str, *, object: str = "") -> None:
        """Stop a job; one that has ended or is gone already is left as it is. Costs one call."""
        bulk.abort(self._rest, job_id, object=object)

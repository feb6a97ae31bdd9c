"""Read many rows by Bulk API 2.0: a query job, whose CSV result is streamed page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Any
from urllib.parse import quote, urlencode

from include.errors import ConnectionLost, JobFailed, ServerFault, Unreachable
from include.salesforce.refusals import refusal
from include.salesforce.repeats import read_error
from include.salesforce.rest import Call, Rest

# Each question costs a call. Small jobs end within seconds, large ones take many minutes.
_PAUSES = (0.25, 1.0, 2.0, 5.0, *[10.0] * 12)
_LAST_PAUSE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkJob:
    """Hold a query job: its Id, state, and how many records it has read so far.

    States: UploadComplete -> InProgress -> JobComplete | Failed | Aborted.
    """

    id: str
    state: str
    records: int = 0
    error: str = ""
    object: str = ""

    @property
    def ended(self) -> bool:
        """Return whether the job will not change any more."""
        return self.state in ("JobComplete", "Failed", "Aborted")

    @property
    def error_code(self) -> str:
        """Return the org's code for why it failed; "" when it gave none. The rest of its text may quote the query."""
        code = self.error.split(":", 1)[0].strip()
        return code if code.isidentifier() else ""

    def failure(self) -> JobFailed:
        """Return the error that says how the job ended."""
        reason = f" ({self.error_code})" if self.error_code else ""
        message = f"Bulk job {self.id} for {self.object} ended {self.state}{reason}; a new job is needed"
        return JobFailed(message, code=self.error_code)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPage:
    """Hold one page of a result while it streams: CSV bytes, and where the next page begins (None: nowhere)."""

    chunks: Iterator[bytes]
    next_locator: str | None
    number_of_records: int


def create(rest: Rest, soql: str, *, object: str, all_rows: bool) -> BulkJob:
    """Return a new query job."""
    call = Call(
        method="POST",
        path=rest.versioned("jobs/query"),
        doing=f"start a Bulk job for {object}",
        purpose="extract",
        object=object,
        body={
            "operation": "queryAll" if all_rows else "query",
            "query": soql,
            "contentType": "CSV",
            "lineEnding": "LF",
        },
        repeatable=False,  # a lost answer may hide a job that runs; a second one would cost the org twice
    )
    return _read_job(rest.read(call), rest, call)


def state(rest: Rest, job_id: str, *, object: str) -> BulkJob:
    """Return a job as it is now."""
    call = _call(rest, job_id, "ask for", object)
    with _was_there(call):
        return _read_job(rest.read(call), rest, call)


def wait(rest: Rest, job_id: str, *, sleep: Callable[[float], object], object: str, timeout_seconds: float) -> BulkJob:
    """Return the job once it is complete."""
    waited = 0.0
    for pause in chain(_PAUSES, repeat(_LAST_PAUSE)):
        sleep(pause)
        waited += pause
        job = state(rest, job_id, object=object)
        if job.state == "JobComplete":
            return job
        if job.ended:
            raise job.failure()
        if waited >= timeout_seconds:
            raise JobFailed(
                f"Bulk job {job_id} for {job.object} is {job.state} after {waited:.0f} s; a new job is needed"
            )
    raise AssertionError("the pauses never end")


@contextmanager
def results(rest: Rest, job_id: str, *, locator: str, max_records: int | None, object: str) -> Iterator[BulkPage]:
    """Yield one page of a job's result while it streams."""
    asked = {"locator": locator, "maxRecords": str(max_records or "")}
    query = urlencode({key: value for key, value in asked.items() if value})
    call = _call(rest, job_id, "read the result of", object, tail="/results" + (f"?{query}" if query else ""))
    call = replace(call, headers={"Accept": "text/csv"})
    with _was_there(call), rest.open(call) as reply:
        written, following = reply.headers.get("sforce-numberofrecords"), reply.headers.get("sforce-locator")
        is_csv = reply.headers.get("content-type", "").startswith("text/csv")
        if not is_csv or following is None or written is None or not (written.isascii() and written.isdigit()):
            # Without a locator "this was the last page" would be a guess, and a wrong one loses records.
            raise refusal(reply.status, reply.headers, b"", rest.attempt(call), rest.clock())
        yield BulkPage(
            chunks=reply.chunks,
            next_locator=None if following in ("null", "") else following,
            number_of_records=int(written),
        )


def abort(rest: Rest, job_id: str, *, object: str) -> None:
    """Stop a job, unless it has ended or is gone."""
    call = replace(
        _call(rest, job_id, "abort", object), method="PATCH", body={"state": "Aborted"}, also_fine=frozenset({400, 404})
    )
    _only_if_needed(rest, call)


def _only_if_needed(rest: Rest, call: Call) -> None:
    reply = rest.call(call)
    if reply.status == 400 and read_error(reply.body)[0] != "INVALIDJOBSTATE":
        raise refusal(reply.status, reply.headers, reply.body, rest.attempt(call), rest.clock())


def _call(rest: Rest, job_id: str, verb: str, object: str, *, tail: str = "") -> Call:
    return Call(
        path=rest.versioned(f"jobs/query/{quote(job_id, safe='')}{tail}"),
        doing=f"{verb} Bulk job {job_id}" + (f" for {object}" if object else ""),
        purpose="extract",
        object=object,
        is_job=True,
    )


@contextmanager
def _was_there(call: Call) -> Iterator[None]:
    """Take an org that cannot be reached for one that went away: it made this job, so the connection is right."""
    try:
        yield
    except Unreachable as error:
        raise ConnectionLost(
            f"could not {call.doing}: the org that made the job cannot be reached now; the next try goes on with it"
        ) from error


def _read_job(answer: Any, rest: Rest, call: Call) -> BulkJob:
    match answer:
        case {"id": str(job_id), "state": str(job_state)}:
            with suppress(TypeError, ValueError):
                return BulkJob(
                    id=job_id,
                    state=job_state,
                    records=int(answer.get("numberRecordsProcessed") or 0),
                    error=str(answer.get("errorMessage") or ""),
                    object=str(answer.get("object") or ""),
                )
    host = rest.attempt(call).host
    raise ServerFault(f"could not {call.doing}: {host} answered with JSON that is no job; it can be tried again")

"""Bulk API 2.0 query jobs over HTTP."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.jobs import DELIMITERS, ENDINGS, TERMINAL, Job, Page
from include.sandbox.org.refusals import Refusal, not_found
from include.sandbox.org.schema.field import COMPOUND_TYPES
from include.sandbox.org.soql.plan import Cell, Children, Plan, plan_query

PAGE = 500_000  # records a page if the client asks for no number; some clients can't read a second page
_JOBS_A_LIST = 1000
_RESULT_PAGES = 5
_CHUNK = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS


def create_job(call: Call) -> Answer:
    """Answer POST /jobs/query."""
    asked = call.json()
    operation = str(asked.get("operation", ""))
    if operation not in ("query", "queryAll"):
        raise Refusal(400, "INVALIDJOB", f"Unsupported operation: {operation}")
    text = asked.get("query")
    if not isinstance(text, str) or not text.strip():
        raise Refusal(400, "INVALIDJOB", "Query is required for a query job")
    if str(asked.get("contentType", "CSV")).upper() != "CSV":
        raise Refusal(400, "INVALIDJOB", f"Unsupported content type: {asked['contentType']}")
    delimiter, ending = str(asked.get("columnDelimiter", "COMMA")), str(asked.get("lineEnding", "LF"))
    if delimiter not in DELIMITERS or ending not in ENDINGS:
        raise Refusal(400, "INVALIDJOB", f"Unknown columnDelimiter or lineEnding: {delimiter}, {ending}")
    clock = call.org.clock
    plan = plan_query(
        text, call.org.catalogue, deleted=operation == "queryAll", now=clock.milliseconds(), today=clock.now().date()
    )
    _check(plan)
    job = call.org.jobs.create(
        plan=plan, operation=operation, version=call.version, user=call.user_id, delimiter=delimiter, ending=ending
    )
    return Answer(body=job.body(full=False))


def _check(plan: Plan) -> None:
    """Refuse what Bulk can't do, in the words that clients look for."""
    if plan.aggregate:
        raise Refusal(
            400,
            "API_ERROR",
            "Implementation restriction: aggregate functions and GROUP BY are not supported in Bulk Query",
        )
    if plan.offset is not None:
        raise Refusal(400, "API_ERROR", "Implementation restriction: OFFSET is not supported in Bulk Query")
    for cell in plan.cells:
        if isinstance(cell, Children):
            message = "Aggregate Relationships not supported in Bulk V2 Query with CSV content type"
            raise Refusal(400, "API_ERROR", message)
        if isinstance(cell, Cell) and cell.column and cell.column.field.type in COMPOUND_TYPES:
            message = "Selecting compound data not supported in Bulk Query"
            raise Refusal(400, "FUNCTIONALITY_NOT_ENABLED", message)


def show_job(call: Call) -> Answer:
    """Answer GET /jobs/query/<id>."""
    return Answer(body=_job(call).body(full=True))


def change_job(call: Call) -> Answer:
    """Answer PATCH /jobs/query/<id>: a job can be aborted, nothing else."""
    job = _job(call)
    if call.json().get("state") != "Aborted":
        raise Refusal(400, "INVALIDJOBSTATE", "A query job's state can only be changed to Aborted")
    if job.state in TERMINAL:
        raise Refusal(400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed")
    return Answer(body=call.org.jobs.abort(job).body(full=True))


def delete_job(call: Call) -> Answer:
    """Answer DELETE /jobs/query/<id>."""
    job = _job(call)
    if job.state not in TERMINAL:
        message = "Error encountered when deleting the job because the job is not terminated"
        raise Refusal(400, "API_ERROR", message)
    call.org.jobs.delete(job)
    return Answer(status=204)


def list_jobs(call: Call) -> Answer:
    """Answer GET /jobs/query."""
    jobs = call.org.jobs.all()
    start = _record(call.params["queryLocator"]) if call.params.get("queryLocator") else 0
    shown = jobs[start : start + _JOBS_A_LIST]
    following = start + len(shown)
    more = following < len(jobs)
    url = f"/services/data/v{call.version}/jobs/ingest?queryLocator={_locator(following)}" if more else None
    body = {"done": not more, "records": [each.body(full=True) for each in shown], "nextRecordsUrl": url}
    return Answer(body=body)


def show_results(call: Call) -> Answer:
    """Answer GET /jobs/query/<id>/results: one page of CSV, streamed."""
    job = _finished(call)
    first = _record(call.params["locator"]) if call.params.get("locator") else 0
    if first and first >= job.records:
        raise Refusal(400, "INVALID_LOCATOR", "The locator doesn't belong to this job's results")
    page = call.org.jobs.page(job, first, _size(call))
    headers = {
        "Content-Type": "text/csv;charset=UTF-8",
        "Sforce-NumberOfRecords": str(page.records),
        "Sforce-Locator": "null" if page.next_record is None else _locator(page.next_record),
    }
    if "gzip" in call.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Answer(headers=headers, stream=lambda: _compressed(_chunks(page)))
    length = len(page.header) + page.stop - page.start
    return Answer(headers=headers, stream=lambda: _chunks(page), length=length)


def list_result_pages(call: Call) -> Answer:
    """Answer GET /jobs/query/<id>/resultPages: where up to five pages can be fetched in parallel."""
    job = _finished(call)
    start = _record(call.params["locator"]) if call.params.get("locator") else 0
    size = _size(call)
    ends = list(range(start, max(job.records, 1), size))
    base = f"/services/data/v{call.version}/jobs/query/{job.id}"
    asked = f"&maxRecords={size}" if "maxRecords" in call.params else ""
    pages = [{"resultUrl": f"{base}/results?locator={_locator(each)}{asked}"} for each in ends[:_RESULT_PAGES]]
    body: dict[str, object] = {"resultPages": pages, "done": len(ends) <= _RESULT_PAGES}
    if len(ends) > _RESULT_PAGES:
        body["nextRecordsUrl"] = f"{base}/resultPages?locator={_locator(ends[_RESULT_PAGES])}{asked}"
    return Answer(body=body)


def _job(call: Call) -> Job:
    job = call.org.jobs.find(call.path["job"])
    if job is None:
        raise not_found()
    return job


def _finished(call: Call) -> Job:
    job = _job(call)
    if job.version != call.version:
        message = f"The job was created with API version {job.version}; its results must be read with the same version"
        raise Refusal(409, "API_VERSION_MISMATCH", message)
    if job.state != "JobComplete":
        raise Refusal(400, "INVALIDJOBSTATE", f"The job is in state {job.state}: it has no results")
    return job


def _size(call: Call) -> int:
    asked = call.params.get("maxRecords")
    if asked is None:
        return PAGE
    if not asked.isdigit() or int(asked) < 1:
        raise Refusal(400, "INVALID_QUERY_VALUE", f"maxRecords must be a positive number, not '{asked}'")
    return int(asked)


def _locator(record: int) -> str:
    return base64.urlsafe_b64encode(str(record).encode()).decode().rstrip("=")


def _record(locator: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)))
    except ValueError as error:
        raise Refusal(400, "INVALID_LOCATOR", "The locator is invalid") from error


def _chunks(page: Page) -> Iterator[bytes]:
    left = page.stop - page.start
    with page.path.open("rb") as lines:
        lines.seek(page.start)
        first = page.header + lines.read(min(_CHUNK, left))
        left -= len(first) - len(page.header)
        yield first
        while left > 0:
            chunk = lines.read(min(_CHUNK, left))
            if not chunk:
                return
            left -= len(chunk)
            yield chunk


def _compressed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
    for chunk in chunks:
        yield packer.compress(chunk)
    yield packer.flush()

"""Bulk API 2.0 query jobs over HTTP."""

from __future__ import annotations

from include.sandbox.org.allocation import BULK_QUERY_JOBS, BULK_QUERY_MEGABYTES
from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.http.jobs_list import list_all, locator_of, record_of
from include.sandbox.org.http.serving_files import serve
from include.sandbox.org.jobs import DELIMITERS, ENDINGS, TERMINAL, Job
from include.sandbox.org.jobs.planning import plan_bulk
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal, not_found

PAGE = 500_000  # records a page if the client asks for no number; some clients can't read a second page
_RESULT_PAGES = 5
_SINCE, _PAGES_SINCE = 47.0, 58.0


def create_job(call: Call) -> Answer:
    """Answer POST /jobs/query."""
    _check_version(call)
    asked = call.json()
    operation = str(asked.get("operation", ""))
    if operation not in ("query", "queryAll"):
        raise Refusal(400, "INVALIDJOB", f"Unsupported operation: {operation}")
    text = asked.get("query")
    if not isinstance(text, str) or not text.strip():
        raise Refusal(400, "INVALIDJOB", "Query is required for a query job")
    if str(asked.get("contentType") or "CSV").upper() != "CSV":
        raise Refusal(400, "INVALIDJOB", f"Unsupported content type: {asked['contentType']}")
    delimiter, ending = str(asked.get("columnDelimiter") or "COMMA"), str(asked.get("lineEnding") or "LF")
    if delimiter not in DELIMITERS or ending not in ENDINGS:
        raise Refusal(400, "INVALIDJOB", f"Unknown columnDelimiter or lineEnding: {delimiter}, {ending}")
    org = call.org
    plan = plan_bulk(text, org.catalogue, org.clock, deleted=operation == "queryAll", version=call.version)
    _spend(org)
    job = org.jobs.create(
        plan=plan, operation=operation, version=call.version, user=call.user_id, delimiter=delimiter, ending=ending
    )
    return Answer(body=job.body(full=False))


def _spend(org: Org) -> None:
    """Count a job, or refuse it when the day's jobs or the room for their results are used up."""
    jobs, room = org.allocation.maxima[BULK_QUERY_JOBS], org.allocation.maxima[BULK_QUERY_MEGABYTES]
    if org.allocation.remaining(BULK_QUERY_JOBS) <= 0:
        message = f"Max bulk v2 query jobs ({jobs}) per 24 hrs has been reached ({jobs})"
        raise Refusal(400, "LIMIT_EXCEEDED", message)
    if org.allocation.remaining(BULK_QUERY_MEGABYTES) <= 0:
        message = f"Max bulk v2 query result size stored ({room * 1024}) kb per 24 hrs has been exceeded"
        raise Refusal(400, "LIMIT_EXCEEDED", message)
    org.allocation.count(BULK_QUERY_JOBS)


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
    return Answer(body=call.org.jobs.abort(job).body(full=False))


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
    return list_all(call, ("V2Query", "Classic"))


def show_results(call: Call) -> Answer:
    """Answer GET /jobs/query/<id>/results: one page of CSV, streamed."""
    job = _finished(call)
    first = record_of(call.params["locator"]) if call.params.get("locator") else 0
    if first and first >= job.records:
        raise Refusal(400, "INVALID_LOCATOR", "The locator doesn't belong to this job's results")
    page = call.org.jobs.page(job, first, _size(call))
    following = "null" if page.next_record is None else locator_of(page.next_record)
    counted = {"Sforce_NumberOfRecords": str(page.records), "Sforce_Locator": following}
    return serve(call.headers, page, "text/csv;charset=UTF-8", **counted)


def list_result_pages(call: Call) -> Answer:
    """Answer GET /jobs/query/<id>/resultPages: where up to five pages can be fetched in parallel."""
    _check_version(call, _PAGES_SINCE)
    job = _finished(call)
    start = record_of(call.params["locator"]) if call.params.get("locator") else 0
    size = _size(call)
    ends = list(range(start, max(job.records, 1), size))
    base = f"/services/data/v{call.version}/jobs/query/{job.id}"
    asked = f"&maxRecords={size}" if "maxRecords" in call.params else ""
    pages = [{"resultUrl": f"{base}/results?locator={locator_of(each)}{asked}"} for each in ends[:_RESULT_PAGES]]
    body: dict[str, object] = {"resultPages": pages, "done": len(ends) <= _RESULT_PAGES}
    if len(ends) > _RESULT_PAGES:
        body["nextRecordsUrl"] = f"{base}/resultPages?locator={locator_of(ends[_RESULT_PAGES])}{asked}"
    return Answer(body=body)


def _check_version(call: Call, since: float = _SINCE) -> None:
    if float(call.version) < since:
        raise not_found()


def _job(call: Call) -> Job:
    _check_version(call)
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

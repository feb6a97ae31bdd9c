"""Bulk API 2.0 ingest jobs over HTTP."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import orjson

from include.sandbox.org.allocation import BULK_BATCHES
from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.http.jobs_list import list_all
from include.sandbox.org.http.serving_files import serve
from include.sandbox.org.jobs import DELIMITERS, ENDINGS, TERMINAL, LoadJob
from include.sandbox.org.jobs.load import FAILED, SUCCESSFUL, UNPROCESSED
from include.sandbox.org.jobs.results import Page
from include.sandbox.org.loading.columns import indexed
from include.sandbox.org.loading.csv_rows import csv_line
from include.sandbox.org.refusals import Refusal, not_found

_OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")
_SINCE = 41.0
_MOST = 150 * 1024 * 1024  # bytes of an upload, as base64
_MOST_AT_ONCE = 100_000  # characters of an upload that comes with the job
_RESULTS = {"successfulresults": SUCCESSFUL, "failedresults": FAILED, "unprocessedrecords": UNPROCESSED}


def create_job(call: Call) -> Answer:
    """Answer POST /jobs/ingest, with the records in the same request if it has parts."""
    _check_version(call)
    asked, content = _asked(call)
    job = _create(call, asked)
    if content is None:
        return Answer(body=job.body(full=False))
    call.org.loads.upload(job, content)
    return Answer(body=call.org.loads.complete(job).body(full=False))


def show_job(call: Call) -> Answer:
    """Answer GET /jobs/ingest/<id>."""
    return Answer(body=_job(call).body(full=True))


def list_jobs(call: Call) -> Answer:
    """Answer GET /jobs/ingest."""
    return list_all(call, ("V2Ingest", "Classic"))


def upload(call: Call) -> Answer:
    """Answer PUT /jobs/ingest/<id>/batches."""
    job = _job(call)
    given = call.upload if call.upload is not None else call.body
    size = given.stat().st_size if isinstance(given, Path) else len(given)
    try:
        _check_upload(call, job, size)
    except Refusal:
        if isinstance(given, Path):
            given.unlink(missing_ok=True)
        raise
    call.org.loads.upload(job, given)
    return Answer(status=201)


def change_job(call: Call) -> Answer:
    """Answer PATCH /jobs/ingest/<id>: the upload is complete, or the job is aborted."""
    job, state = _job(call), call.json().get("state")
    if state == "Aborted":
        if job.state in TERMINAL:
            raise Refusal(400, "INVALIDJOBSTATE", f"Aborting already {_word(job)} Job not allowed")
        return Answer(body=call.org.loads.abort(job).body(full=False))
    if state != "UploadComplete":
        raise Refusal(400, "INVALIDJOBSTATE", f"Invalid job state: {state}")
    if job.state != "Open":
        raise Refusal(400, "INVALIDJOBSTATE", f"Closing already {_word(job)} Job not allowed")
    if not job.uploaded:
        raise Refusal(400, "INVALIDJOBSTATE", "Job data has not been uploaded: the job can't be closed")
    return Answer(body=call.org.loads.complete(job).body(full=False))


def delete_job(call: Call) -> Answer:
    """Answer DELETE /jobs/ingest/<id>."""
    job = _job(call)
    if job.state not in TERMINAL and job.state != "UploadComplete":
        message = "Error encountered when deleting the job because the job is not terminated"
        raise Refusal(400, "API_ERROR", message)
    call.org.loads.delete(job)
    return Answer(status=204)


def show_results(call: Call) -> Answer:
    """Answer GET /jobs/ingest/<id>/successfulResults, failedResults and unprocessedrecords."""
    job = _job(call)
    kind = _RESULTS[call.path["results"].lower()]
    if job.state not in TERMINAL:
        raise Refusal(400, "INVALIDJOBSTATE", f"Job is in state {job.state}: its results are not available yet")
    call.org.loads.settle(job)
    path = call.org.loads.path(job, kind)
    header = b"" if path.exists() else _empty(job, kind)
    size = path.stat().st_size if path.exists() else 0
    page = Page(header=header, path=path, start=0, stop=size, records=0, next_record=None)
    return serve(call.headers, page, "text/csv;charset=UTF-8")


def _empty(job: LoadJob, kind: str) -> bytes:
    """Return what stands in a file of a job that never came to write one."""
    first = {SUCCESSFUL: ["sf__Id", "sf__Created"], FAILED: ["sf__Id", "sf__Error"]}.get(kind)
    return csv_line(first, DELIMITERS[job.delimiter], ENDINGS[job.ending]).encode() if first else b""


def _create(call: Call, asked: dict[str, Any]) -> LoadJob:
    operation, name = str(asked.get("operation", "")), str(asked.get("object", ""))
    if operation not in _OPERATIONS:
        raise Refusal(400, "INVALIDJOB", f"InvalidJob : Unsupported operation: {operation}")
    target = call.org.catalogue.find(name)
    if target is None:
        raise Refusal(400, "INVALIDJOB", f"InvalidJob : Unable to find object: {name}")
    if str(asked.get("contentType") or "CSV").upper() != "CSV":
        raise Refusal(400, "INVALIDJOB", f"InvalidJob : Unsupported content type: {asked['contentType']}")
    delimiter, ending = str(asked.get("columnDelimiter") or "COMMA"), str(asked.get("lineEnding") or "LF")
    if delimiter not in DELIMITERS or ending not in ENDINGS:
        raise Refusal(400, "INVALIDJOB", f"Unknown columnDelimiter or lineEnding: {delimiter}, {ending}")
    external = str(asked.get("externalIdFieldName") or "")
    check_external_id(operation, target, external)
    if call.org.allocation.remaining(BULK_BATCHES) <= 0:
        raise Refusal(400, "EXCEEDEDQUOTA", "ExceededQuota : ApiBatchItems Limit exceeded.")
    return call.org.loads.create(
        operation=operation, target=target.name, version=call.version, user=call.user_id, delimiter=delimiter,
        ending=ending, external_id=external, assignment_rule=str(asked.get("assignmentRuleId") or ""),
    )  # fmt: skip


def check_external_id(operation: str, target: Any, external: str) -> None:
    """Refuse an external Id field that is missing, unwanted, or not one."""
    if operation != "upsert":
        if external:
            raise Refusal(400, "INVALIDJOB", f"InvalidJob : External ID field is not allowed for {operation}")
        return
    if not external:
        raise Refusal(400, "INVALIDJOB", "InvalidJob : External ID was blank for upsert operation")
    field = target.field(external)
    if field is None or not indexed(field):
        message = (
            f"InvalidJob : Field name provided, {external} does not match an External ID, Salesforce Id, or indexed "
            f"field for {target.name}"
        )
        raise Refusal(400, "INVALIDJOB", message)


def _asked(call: Call) -> tuple[dict[str, Any], bytes | None]:
    """Return the job, and the records when both came as parts of one request."""
    kind = call.headers.get("content-type", "")
    boundary = re.search(r'boundary="?([^";]+)"?', kind)
    if not kind.lower().startswith("multipart/") or boundary is None:
        return call.json(), None
    parts: dict[str, bytes] = {}
    for part in re.split(rb"(?:^|\r?\n)--" + re.escape(boundary[1].encode()), call.body):
        head, gap, body = part.partition(b"\r\n\r\n" if b"\r\n\r\n" in part else b"\n\n")
        name = re.search(rb'name="?(\w+)"?', head)
        if gap and name:
            parts[name[1].decode()] = body
    if len(parts.get("content", b"").decode(errors="replace")) > _MOST_AT_ONCE:
        raise Refusal(400, "INVALIDJOB", "InvalidJob : Job data of a multipart request exceeds 100,000 characters")
    try:
        job = orjson.loads(parts.get("job", b""))
    except orjson.JSONDecodeError as error:
        raise Refusal(400, "JSON_PARSER_ERROR", f"Unexpected character in JSON body: {error.msg}") from error
    if not isinstance(job, dict):
        raise Refusal(400, "JSON_PARSER_ERROR", "Can not deserialize: unexpected array or value, expected an object")
    return job, parts.get("content", b"")


def _check_upload(call: Call, job: LoadJob, size: int) -> None:
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/csv":
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Type '{kind}' not supported: use text/csv")
    if job.state != "Open" or job.uploaded:
        message = f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current Job "
        raise Refusal(
            400,
            "INVALIDJOBSTATE",
            message + "then create a new Job and make sure you only do 'PUT' once on a given Job.",
        )
    if -(-size // 3) * 4 > _MOST:
        raise Refusal(400, "EXCEEDED_MAX_SIZE_REQUEST", "Maximum size of job data exceeded: 150 MB as base64")


def _check_version(call: Call) -> None:
    if float(call.version) < _SINCE:
        raise not_found()


def _job(call: Call) -> LoadJob:
    _check_version(call)
    job = call.org.loads.find(call.path["job"])
    if job is None:
        raise not_found()
    return job


def _word(job: LoadJob) -> str:
    return "Completed" if job.state == "JobComplete" else job.state

"""Batches of the older Bulk API: add, show, list, and what came of them."""

from __future__ import annotations

from include.sandbox.org.allocation import BULK_BATCHES
from include.sandbox.org.http.bulk1_bodies import JSON, XML, AsyncError, facts, listed, result_list
from include.sandbox.org.http.bulk1_call import AsyncCall
from include.sandbox.org.http.call import Answer
from include.sandbox.org.http.serving_files import serve
from include.sandbox.org.jobs import Batch, ClassicJob
from include.sandbox.org.jobs.classic_job import QUERIES
from include.sandbox.org.jobs.results import Page

_KINDS = {"CSV": "text/csv;charset=UTF-8", "JSON": "application/json", "XML": "application/xml"}
_OPEN_FOR = 86_400.0  # seconds


def add(call: AsyncCall) -> Answer:
    """Answer POST job/<id>/batch."""
    job = call.job()
    if job.state != "Open":
        raise AsyncError("InvalidJobState", f"Unable to add a batch to a job in state {job.state}")
    if call.org.clock.epoch() - job.created > _OPEN_FOR:
        raise AsyncError("InvalidJobState", "Unable to add a batch to a job that is more than 24 hours old")
    if not call.body.strip():
        raise AsyncError("ClientInputError", "Unable to find any data to create batch")
    if call.org.allocation.remaining(BULK_BATCHES) <= 0:
        raise AsyncError("ExceededQuota", "ApiBatchItems Limit exceeded.")
    return facts("batchInfo", call.org.classic.add(job, call.body).facts(), _form(job), 201)


def show(call: AsyncCall) -> Answer:
    """Answer GET job/<id>/batch/<id>."""
    return facts("batchInfo", call.batch().facts(), _form(call.job()))


def list_batches(call: AsyncCall) -> Answer:
    """Answer GET job/<id>/batch."""
    job = call.job()
    return listed("batchInfoList", "batchInfo", [each.facts() for each in job.batches], _form(job))


def show_request(call: AsyncCall) -> Answer:
    """Answer GET job/<id>/batch/<id>/request: what was sent."""
    return _file(call, "request")


def show_results(call: AsyncCall) -> Answer:
    """Answer GET job/<id>/batch/<id>/result: the Ids of a query's results, or a result for each record."""
    job, batch = _done(call)
    if job.operation in QUERIES:
        return result_list([batch.result_id], _form(job))
    return _file(call, "result")


def show_result(call: AsyncCall) -> Answer:
    """Answer GET job/<id>/batch/<id>/result/<id>: the records of a query."""
    job, batch = _done(call)
    if job.operation not in QUERIES or call.path["result"][:15] != batch.result_id:
        raise AsyncError("InvalidBatch", f"Unable to find object: resultId: {call.path['result']}")
    return _file(call, "result")


def _done(call: AsyncCall) -> tuple[ClassicJob, Batch]:
    job, batch = call.job(), call.batch()
    if batch.state != "Completed":
        raise AsyncError("InvalidBatch", "Records not processed")
    return job, batch


def _file(call: AsyncCall, kind: str) -> Answer:
    path = call.org.classic.path(call.batch(), kind)
    page = Page(header=b"", path=path, start=0, stop=path.stat().st_size, records=0, next_record=None)
    return serve(call.headers, page, _KINDS[call.job().content])


def _form(job: ClassicJob) -> str:
    return JSON if job.content == JSON else XML

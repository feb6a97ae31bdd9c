"""Jobs of the older Bulk API: create, show, close, abort."""

from __future__ import annotations

from include.sandbox.org.http.bulk1_bodies import JSON, XML, AsyncError, asked, facts, preferred
from include.sandbox.org.http.bulk1_call import AsyncCall
from include.sandbox.org.http.call import Answer
from include.sandbox.org.ids import canonical
from include.sandbox.org.jobs import ClassicJob
from include.sandbox.org.jobs.classic_job import QUERIES
from include.sandbox.org.jobs.formats import chunkable
from include.sandbox.org.loading.columns import indexed
from include.sandbox.org.schema.field import SObject

_OPERATIONS = frozenset({"insert", "update", "upsert", "delete", "hardDelete"}) | QUERIES
_CONTENTS = ("CSV", "JSON", "XML")
_MODES = {"0": "Parallel", "1": "Serial", "parallel": "Parallel", "serial": "Serial", "": "Parallel"}
_CHUNK, _MOST = 100_000, 250_000


def create(call: AsyncCall) -> Answer:
    """Answer POST job."""
    wanted = asked(call.body)
    operation, content = wanted.get("operation", ""), (wanted.get("contentType") or XML).upper()
    if operation not in _OPERATIONS:
        raise AsyncError("InvalidJob", f"Invalid operation: {operation}")
    target = call.org.catalogue.find(wanted.get("object", ""))
    if target is None:
        message = f"Entity '{wanted.get('object', '')}' is not supported by the Bulk API."
        raise AsyncError("InvalidEntity", message)
    if content not in _CONTENTS:
        raise AsyncError("InvalidJob", f"Unsupported content type: {content}")
    mode = _MODES.get(wanted.get("concurrencyMode", "").lower())
    if mode is None:
        raise AsyncError("InvalidJob", f"Invalid concurrencyMode: {wanted['concurrencyMode']}")
    external = wanted.get("externalIdFieldName", "")
    _check_external(operation, target, external)
    chunk, start = _chunking(call, operation, target)
    job = call.org.classic.create(
        operation=operation, target=target.name, content=content, version=call.version, user=call.user_id, mode=mode,
        external_id=external, assignment_rule=wanted.get("assignmentRuleId", ""), chunk=chunk, start_row=start,
    )  # fmt: skip
    return facts("jobInfo", job.facts(), preferred(call.headers, _own(job)), 201)


def show(call: AsyncCall) -> Answer:
    """Answer GET job/<id>."""
    job = call.job()
    return facts("jobInfo", job.facts(), preferred(call.headers, _own(job)))


def change(call: AsyncCall) -> Answer:
    """Answer POST job/<id>: close it or abort it."""
    job, wanted = call.job(), asked(call.body)
    state = wanted.pop("state", "")
    if wanted.keys() - {"id"}:
        raise AsyncError("InvalidJob", "Only the state of a job can be changed")
    if state not in ("Closed", "Aborted"):
        raise AsyncError("InvalidJobState", f"Invalid job state: {state}")
    if job.state == "Aborted" or (job.state == "Closed" and state == "Closed"):
        word = "Closing" if state == "Closed" else "Aborting"
        raise AsyncError("InvalidJobState", f"{word} already {job.state} Job not allowed")
    after = call.org.classic.close(job) if state == "Closed" else call.org.classic.abort(job)
    return facts("jobInfo", after.facts(), preferred(call.headers, _own(job)))


def _own(job: ClassicJob) -> str:
    return JSON if job.content == JSON else XML


def _check_external(operation: str, target: SObject, external: str) -> None:
    if operation != "upsert":
        if external:
            raise AsyncError("InvalidJob", f"External ID field is not allowed for {operation}")
        return
    if not external:
        raise AsyncError("InvalidJob", "External ID was blank for upsert operation. An external ID must be specified")
    field = target.field(external)
    if field is None or not indexed(field):
        message = f"Field name provided, {external} does not match an External ID, Salesforce Id, or indexed field for "
        raise AsyncError("InvalidJob", message + target.name)


def _chunking(call: AsyncCall, operation: str, target: SObject) -> tuple[int, str]:
    """Return the size of ranges, 0 for none, and the Id at which they begin."""
    header = call.headers.get("sforce-enable-pkchunking", "")
    words = dict(word.strip().partition("=")[::2] for word in header.split(";") if word.strip())
    options = {name.strip().lower(): value.strip() for name, value in words.items()}
    if operation not in QUERIES or not options or "false" in options:
        return 0, ""
    parent = call.org.catalogue.find(options.get("parent", ""))
    if not chunkable(target.name) and not (parent is not None and chunkable(parent.name)):
        raise AsyncError("InvalidJob", f"PK chunking is not supported for {target.name}")
    size = options.get("chunksize", str(_CHUNK))
    if not size.isdigit() or not 0 < int(size) <= _MOST:
        raise AsyncError("InvalidJob", f"Invalid chunkSize: {size}. It must be between 1 and {_MOST}")
    start = options.get("startrow", "")
    if start and canonical(start) is None:
        raise AsyncError("InvalidJob", f"Invalid startRow: {start}")
    return int(size), start

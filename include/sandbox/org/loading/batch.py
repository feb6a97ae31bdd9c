"""Records of one batch of the older Bulk API: read from CSV, JSON or XML, written, and a result for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import orjson

from include.sandbox.org.jobs.classic_job import Batch, ClassicJob
from include.sandbox.org.jobs.classic_results import NAMESPACE
from include.sandbox.org.jobs.formats import BadBatch
from include.sandbox.org.loading.columns import Columns, flat
from include.sandbox.org.loading.csv_rows import checked_csv, csv_line, read_csv
from include.sandbox.org.loading.saving import Saving, as_said, told
from include.sandbox.org.org import Org
from include.sandbox.org.writing import SaveResult

_MOST_RECORDS = 10_000
_MOST_BYTES = 10 * 1024 * 1024
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def begin_batches(org: Org) -> None:
    """Let the org's batches of records be written, those of an earlier start first."""
    org.classic.begin(lambda job, batch: run_batch(org, job, batch))


def run_batch(org: Org, job: ClassicJob, batch: Batch) -> tuple[int, int]:
    """Write a batch and its results; return how many records were processed and how many failed."""
    target = org.catalogue.find(job.object)
    if target is None:
        raise BadBatch(f"InvalidEntity : Entity '{job.object}' is not supported by the Bulk API.")
    columns = Columns(org.catalogue, target)
    saving = Saving(
        org=org, target=target, operation=job.operation, external_id=job.external_id, user=job.created_by,
        columns=columns,
    )  # fmt: skip
    request = org.classic.path(batch, "request")
    if request.stat().st_size > _MOST_BYTES:
        raise BadBatch("ClientInputError : Size of batch exceeds the maximum of 10 MB")
    rows = list(_READERS[job.content](request, columns, job))
    if not rows:
        raise BadBatch("InvalidBatch : Records not found")
    if len(rows) > _MOST_RECORDS:
        raise BadBatch(f"InvalidBatch : Number of records exceeds the maximum of {_MOST_RECORDS}")
    results = saving.save(rows)
    org.classic.path(batch, "result").write_bytes(_WRITERS[job.content](results))
    return len(results), sum(1 for each in results if not each.success)


def _csv_rows(path: Path, columns: Columns, job: ClassicJob) -> Iterator[dict[str, Any]]:
    header, _ = checked_csv(path, ",", None)
    columns.check(header, job.operation, job.external_id)
    for cells in read_csv(path, ","):
        yield as_said(header, cells)


def _json_rows(path: Path, columns: Columns, _job: ClassicJob) -> Iterator[dict[str, Any]]:
    try:
        records = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise BadBatch(f"InvalidBatch : Unable to parse JSON: {error.msg}") from error
    if not isinstance(records, list) or not all(isinstance(each, dict) for each in records):
        raise BadBatch("InvalidBatch : Unable to parse JSON: a list of records was expected")
    for record in records:
        yield _known(flat(record), columns)


def _xml_rows(path: Path, columns: Columns, _job: ClassicJob) -> Iterator[dict[str, Any]]:
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except ElementTree.ParseError as error:
        raise BadBatch(f"InvalidXML : {error.msg}") from error
    for record in root:
        yield _known(flat(_of_xml(record)), columns)


def _known(row: dict[str, Any], columns: Columns) -> dict[str, Any]:
    """Return a record all of whose fields are known; those that are missing concern it alone."""
    for header in row:
        columns.of(header)
    return row


def _of_xml(record: ElementTree.Element) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for each in record:
        name = each.tag.rpartition("}")[2]
        if len(each):
            inner = _of_xml(each[0])
            kind = inner.pop("type", None)
            values[name] = {**inner, **({"attributes": {"type": kind}} if kind else {})}
        else:
            values[name] = None if each.get(_NIL) == "true" else each.text or ""
    return values


def _csv_results(results: list[SaveResult]) -> bytes:
    lines = [csv_line(["Id", "Success", "Created", "Error"], ",", "\n")]
    for each in results:
        success, created = str(each.success).lower(), str(each.success and each.created).lower()
        lines.append(csv_line([each.id or "", success, created, told(each.errors)], ",", "\n"))
    return "".join(lines).encode()


def _json_results(results: list[SaveResult]) -> bytes:
    rows = []
    for each in results:
        errors = [
            {"message": one.message, "fields": one.fields or [], "statusCode": one.code, "extendedErrorDetails": None}
            for one in each.errors
        ]
        made = each.success and each.created
        rows.append({"success": each.success, "created": made, "id": each.id, "errors": errors})
    return orjson.dumps(rows)


def _xml_results(results: list[SaveResult]) -> bytes:
    lines = [f'<?xml version="1.0" encoding="UTF-8"?><results xmlns="{NAMESPACE}">']
    for each in results:
        lines.append("<result>")
        for one in each.errors:
            fields = "".join(f"<fields>{name}</fields>" for name in one.fields or ())
            lines.append(f"<errors>{fields}<message>{escape(one.message)}</message>"
                         f"<statusCode>{one.code}</statusCode></errors>")  # fmt: skip
        named = f"<id>{each.id}</id>" if each.id else ""
        lines.append(f"{named}<success>{str(each.success).lower()}</success>"
                     f"<created>{str(each.success and each.created).lower()}</created></result>")  # fmt: skip
    return "".join([*lines, "</results>"]).encode()


_READERS = {"CSV": _csv_rows, "JSON": _json_rows, "XML": _xml_rows}
_WRITERS = {"CSV": _csv_results, "JSON": _json_results, "XML": _xml_results}

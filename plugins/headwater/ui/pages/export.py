"""The failing records of an issue as a file: CSV, Excel or Parquet; personal values masked unless one may see them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import IO

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response, StreamingResponse

from headwater.ui.capabilities import MaySeeUnmasked
from headwater.ui.links import record_link
from headwater.ui.listing import plain, whole_number
from headwater.ui.warehouse import ChosenOrg, Warehouse
from include.config.loader import load_definitions
from include.exports import as_csv, as_parquet, as_xlsx
from include.warehouse.engine import transaction
from include.warehouse.health.assessments import latest_assessment, one_assessment, one_issue
from include.warehouse.health.finding_rows import FindingRows, finding_rows
from include.warehouse.personal.audit import EXPORTED, write_audit

router = APIRouter()

_PART = 256 * 1024  # bytes


def forms() -> tuple[str, ...]:
    """Return the forms that a file can have here."""
    return ("csv", "xlsx", "parquet") if as_xlsx.can_write_xlsx() else ("csv", "parquet")


@router.get("/health/issue/{check_id}/export/{form}")
def export(
    request: Request,
    check_id: str,
    form: str,
    engine: Warehouse,
    chosen: ChosenOrg,
    unmasked: MaySeeUnmasked,
    user: GetUserDep,
) -> Response:
    """Send the records that failed a check at the newest assessment, or at `?assessment=`.

    Who takes personal values along is written to the audit trail first.
    """
    org, _ = chosen
    if org is None or form not in forms():
        raise HTTPException(404, "There is no such org or form of a file.")
    asked = whole_number(request.query_params.get("assessment", ""))
    shown = one_assessment(engine, org.org, asked) if asked is not None else latest_assessment(engine, org.org)
    issue = one_issue(engine, shown.assessment_id, plain(check_id)) if shown else None
    if shown is None or issue is None or issue.verdict == "not_assessed":
        raise HTTPException(404, "There is no such issue in this assessment, or it was not assessed.")
    check = load_definitions().checks.get(issue.check_id)
    rows = finding_rows(
        engine,
        org.org,
        issue,
        shown.assessment_id,
        # As the check is defined today: the fields of the record that it reads, and by which rules it is a duplicate.
        fields=tuple(check.needs.get(issue.object, ())) if check else (),
        sought=check.duplicates if check else None,
        link=lambda object, record_id: record_link(org.instance_url, object, record_id),
        unmasked=unmasked,
    )
    if rows.shown_personal:
        with transaction(engine) as connection:
            write_audit(
                connection,
                who=user.get_name(),
                what=EXPORTED,
                org=org.org,
                object=issue.object,
                field=", ".join(rows.shown_personal),
                after=f"{issue.check_id}, assessment {shown.assessment_id}, {form}",
            )
    name = f"{org.org}-{issue.check_id}-{shown.assessed_at:%Y-%m-%d}.{form}"
    return _file(form, name, rows)


def _file(form: str, name: str, rows: FindingRows) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if form == "csv":
        parts = as_csv.csv_parts(rows.columns, rows.batches)
        # What fails before the first rows is answered with a page, not with half a file.
        begun = [next(parts), *_first(parts)]
        return StreamingResponse(chain(begun, parts), headers=headers, media_type=as_csv.MEDIA_TYPE)
    if form == "parquet":
        file, media_type = as_parquet.write_parquet(rows.columns, rows.batches), as_parquet.MEDIA_TYPE
    else:
        file, media_type = as_xlsx.write_xlsx("Findings", rows.columns, rows.batches), as_xlsx.MEDIA_TYPE
    file.seek(0, 2)
    headers["Content-Length"] = str(file.tell())
    return StreamingResponse(_parts(file), headers=headers, media_type=media_type)


def _first(parts: Iterator[bytes]) -> list[bytes]:
    part = next(parts, None)
    return [] if part is None else [part]


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while part := file.read(_PART):
            yield part

"""What became of written records, in the shapes of the REST API; and who writes, by the headers of a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.refusals import Refusal, not_found
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.writing import SaveResult, Writer
from include.sandbox.org.writing.drafts import ROLLED_BACK
from include.sandbox.org.writing.duplicates import DuplicatesDetected

_SINCE_CREATED_FLAG = 46.0  # before it, an upsert that changes a record answers nothing


def writer_of(call: Call, *, all_or_none: bool = False) -> Writer:
    """Return who writes, and whether duplicates are allowed."""
    header = call.headers.get("sforce-duplicate-rule-header", "")
    options = dict(part.strip().lower().partition("=")[::2] for part in header.split(";"))
    return Writer(
        user_id=call.user_id, all_or_none=all_or_none, version=call.version,
        allow_duplicates=options.get("allowsave") == "true",
    )  # fmt: skip


def target_of(call: Call) -> SObject:
    """Return the object that the path names, or refuse."""
    target = call.org.catalogue.find(call.path["object"])
    if target is None:
        raise not_found()
    return target


def refused(errors: Sequence[Refusal]) -> Answer:
    """Return the answer of a single record that was refused."""
    return Answer(status=errors[0].status, body=[part for each in errors for part in each.body()])


def created_answer(call: Call, target: SObject, result: SaveResult, *, flag: bool = False) -> Answer:
    """Return the answer of a created record; an upsert says that it created."""
    body: dict[str, Any] = {"id": result.id, "success": True, "errors": []}
    if flag and says_created(call):
        body["created"] = True
    location = f"/services/data/v{call.version}/sobjects/{target.name}/{result.id}"
    return Answer(status=201, body=body, headers={"Location": location})


def says_created(call: Call) -> bool:
    """Say whether upserts answer with `created` in this version."""
    return float(call.version) >= _SINCE_CREATED_FLAG


def collected(result: SaveResult, *, flag: bool = False) -> dict[str, Any]:
    """Return one record's result as collections show it: a refused record shows no Id, a rolled-back one does."""
    if result.success:
        shown: dict[str, Any] = {"id": result.id, "success": True, "errors": []}
        return shown | ({"created": result.created} if flag else {})
    kept = {"id": result.id} if result.id and result.errors[0] is ROLLED_BACK else {}
    return {**kept, "success": False, "errors": [error_of(each) for each in result.errors]}


def error_of(refusal: Refusal) -> dict[str, Any]:
    """Return an error as results of many records show it."""
    shown: dict[str, Any] = {
        "statusCode": refusal.code, "message": refusal.message, "fields": list(refusal.fields or [])
    }  # fmt: skip
    if isinstance(refusal, DuplicatesDetected):
        shown["duplicateResult"] = refusal.result()
    return shown

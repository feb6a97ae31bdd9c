"""The operations that write: each record has a result of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from include.sandbox.org import writing
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.soap.asked import Asked
from include.sandbox.org.soap.faults import SoapFault
from include.sandbox.org.soap.nodes import Node
from include.sandbox.org.soap.records import read_record
from include.sandbox.org.writing import LeadConvert, LeadConvertResult, MergeResult, SaveResult

_MOST_RECORDS = 200
_MOST_CONVERTED = 100
_MOST_KINDS = 10
Row = dict[str, Any]
Result = dict[str, Any]


def create(call: Asked) -> list[Result]:
    """Answer the operation create."""
    return _by_object(call, lambda target, rows: writing.insert_records(call.org, target, rows, call.writer))


def update(call: Asked) -> list[Result]:
    """Answer the operation update."""
    return _by_object(call, lambda target, rows: writing.update_records(call.org, target, rows, call.writer))


def upsert(call: Asked) -> list[Result]:
    """Answer the operation upsert."""
    field = call.required("externalIDFieldName").strip()
    return _by_object(
        call, lambda target, rows: writing.upsert_records(call.org, target, field, rows, call.writer), created=True
    )


def delete(call: Asked) -> list[Result]:
    """Answer the operation delete."""
    return [_saved(each) for each in writing.delete_records(call.org, _ids(call), call.writer)]


def undelete(call: Asked) -> list[Result]:
    """Answer the operation undelete."""
    return [_saved(each) for each in writing.undelete_records(call.org, _ids(call), call.writer)]


def empty_recycle_bin(call: Asked) -> list[Result]:
    """Answer the operation emptyRecycleBin."""
    return [_saved(each) for each in writing.empty_recycle_bin(call.org, _ids(call), call.writer)]


def merge(call: Asked) -> list[Result]:
    """Answer the operation merge; each request is a transaction of its own."""
    # jsforce gives the requests another name than the WSDL does.
    requests = list(call.operation.all("request", "mergeRequests"))
    _check_number(len(requests), _MOST_RECORDS)
    return [_merged(call, each) for each in requests]


def convert_lead(call: Asked) -> list[Result]:
    """Answer the operation convertLead."""
    requests = list(call.operation.all("leadConverts"))
    _check_number(len(requests), _MOST_CONVERTED)
    asked = [_lead_convert(each) for each in requests]
    return [_converted(each) for each in writing.convert_leads(call.org, asked, call.writer)]


def _by_object(
    call: Asked, write: Callable[[SObject, list[Row]], Sequence[SaveResult]], *, created: bool = False
) -> list[Result]:
    """Write records of one or several objects, neighbours of one object together, results in their order."""
    given = [read_record(each) for each in call.operation.all("sObjects")]
    _check_number(len(given), _MOST_RECORDS)
    runs = [(kind, [row for _, row in run]) for kind, run in groupby(given, key=lambda each: each[0].lower())]
    if len(runs) > _MOST_KINDS:
        message = f"Cannot have more than {_MOST_KINDS} chunks in a single operation. Please rearrange the data."
        raise SoapFault("LIMIT_EXCEEDED", message)
    targets = [_target(call, next(each for each, _ in given if each.lower() == kind)) for kind, _ in runs]
    results: list[Result] = []
    for target, (_, rows) in zip(targets, runs, strict=True):
        for each in write(target, rows):
            results.append(_saved(each) | ({"created": each.created and each.success} if created else {}))
    return results


def _target(call: Asked, kind: str) -> SObject:
    target = call.org.catalogue.find(kind)
    if target is None:
        message = (
            f"sObject type '{kind}' is not supported. If you are attempting to use a custom object, be sure to append "
            "the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate "
            "names."
        )
        raise SoapFault("INVALID_TYPE", message)
    return target


def _ids(call: Asked) -> list[str]:
    ids = [each.strip() for each in call.operation.values("ids")]
    _check_number(len(ids), _MOST_RECORDS)
    return ids


def _check_number(given: int, most: int) -> None:
    if given > most:
        message = f"record limit reached. cannot submit more than {most} records in this call"
        raise SoapFault("EXCEEDED_ID_LIMIT", message)


def _merged(call: Asked, request: Node) -> Result:
    master = request.child("masterRecord")
    if master is None:
        raise SoapFault("UNKNOWN_EXCEPTION", "Missing required argument masterRecord")
    kind, row = read_record(master)
    losers = [each.strip() for each in request.values("recordToMergeIds")]
    target = _target(call, kind)
    return _merge_result(writing.merge_records(call.org, target, row, losers, call.writer))


def _lead_convert(node: Node) -> LeadConvert:
    return LeadConvert(
        lead_id=(node.value("leadId") or "").strip(),
        converted_status=node.value("convertedStatus") or "",
        account_id=node.value("accountId") or None,
        contact_id=node.value("contactId") or None,
        opportunity_id=node.value("opportunityId") or None,
        opportunity_name=node.value("opportunityName") or None,
        owner_id=node.value("ownerId") or None,
        do_not_create_opportunity=node.flag("doNotCreateOpportunity"),
        overwrite_lead_source=node.flag("overwriteLeadSource"),
        send_notification_email=node.flag("sendNotificationEmail"),
    )


def _saved(result: SaveResult) -> Result:
    return {"errors": _errors(result.errors), "id": result.id if result.success else None, "success": result.success}


def _merge_result(result: MergeResult) -> Result:
    return {
        "errors": _errors(result.errors),
        "id": result.id,
        "mergedRecordIds": result.merged_ids,
        "success": result.success,
        "updatedRelatedIds": result.updated_related_ids,
    }


def _converted(result: LeadConvertResult) -> Result:
    return {
        "accountId": result.account_id,
        "contactId": result.contact_id,
        "errors": _errors(result.errors),
        "leadId": result.lead_id,
        "opportunityId": result.opportunity_id,
        "success": result.success,
    }


def _errors(refusals: Sequence[Refusal]) -> list[Result]:
    return [{"fields": each.fields, "message": each.message, "statusCode": each.code} for each in refusals]

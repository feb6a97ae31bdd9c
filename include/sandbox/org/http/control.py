"""The control plane under /sandbox/: change records, order faults, read the truth and the log of calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from include.sandbox.org.credentials import USER_ID
from include.sandbox.org.http import control_clock, control_faults, control_life, control_metadata, control_rules
from include.sandbox.org.http.control_signin import set_sign_in, show_sign_in
from include.sandbox.org.http.control_truth import truth
from include.sandbox.org.http.given import number, whole
from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.store.changes import Change, Changes
from include.sandbox.org.store.tables import visible_sql
from include.sandbox.org.store.validation import checked
from include.sandbox.org.writing import (
    SaveResult,
    Writer,
    delete_records,
    insert_records,
    merge_records,
    undelete_records,
)
from include.sandbox.org.writing.drafts import ROLLED_BACK

Body = Mapping[str, Any]
_MOST_CREATED, _MOST_DRAWN = 100_000, 10_000_000
_LATEST = 366 * 86_400  # seconds until a late commit shows
_SEEDS = 1 << 53

# What a touch sets, as SQL over the old row; `{mark}` is new with every touch. Fields behind planted defects stay.
_TOUCHES: dict[str, dict[str, str]] = {
    "Account": {"Site": "'{mark}'", "NumberOfEmployees": 'coalesce("NumberOfEmployees", 0) + 1'},
    "Contact": {"Title": "'{mark}'", "Score__c": 'coalesce("Score__c", 0) + 0.5'},
    "Lead": {"Title": "'{mark}'", "Score__c": 'coalesce("Score__c", 0) + 0.5'},
    "Opportunity": {"NextStep": "'{mark}'", "Amount": '"Amount" + 1'},
    "Task": {"Description": "'{mark}'"},
    "User": {"Title": "'{mark}'"},
    "Campaign": {"Description": "'{mark}'"},
    "Case": {"Subject": "'{mark}'"},
    "Event": {"Description": "'{mark}'"},
    "Everything__c": {"Name": "'{mark}'", "Money__c": 'coalesce("Money__c", 0) + 1'},
    "Subscription__c": {"Cancel_Reason__c": "'{mark}'", "Seats__c": 'coalesce("Seats__c", 0) + 1'},
}
_NEW: dict[str, dict[str, Any]] = {
    "Account": {"Name": "New Account {n}", "Website": "www.new{n}.example"},
    "Contact": {"FirstName": "New", "LastName": "Contact {n}", "Email": "new.contact{n}@example.com"},
    "Lead": {"FirstName": "New", "LastName": "Lead {n}", "Company": "Newcomer {n}", "Email": "new.lead{n}@example.com"},
    "Opportunity": {"Name": "New deal {n}", "StageName": "Prospecting", "CloseDate": "2099-12-31"},
    "Task": {"Subject": "New task {n}"},
    "Campaign": {"Name": "New campaign {n}"},
    "Case": {"Subject": "New case {n}"},
    "Everything__c": {"Name": "New everything {n}", "Text__c": "New {n}"},
}


def health(org: Org) -> dict[str, Any]:
    """Say that the org is ready, and what it holds."""
    meta = org.database.meta()
    return {"ready": True, "contacts": int(meta.get("contacts", 0)), "seed": int(meta.get("seed", 0))}


def touch(org: Org, body: Body) -> dict[str, Any]:
    """Change values of n records."""
    target = _target(org, body)
    ids = _chosen(org, target, body)
    mark = f"Touched {org.clock.milliseconds()}"
    given = body.get("fields")
    values = checked(target, given, creating=False) if given else {}
    usual = {} if given else _TOUCHES.get(target.name, {})
    expressions = {name: sql.replace("{mark}", mark) for name, sql in usual.items() if _as_shipped(org, target, name)}
    _changes(org).update(target, ids, values, _change(body), expressions)
    return {"ids": ids}


def delete(org: Org, body: Body) -> dict[str, Any]:
    """Delete records by number or by Id."""
    target = _target(org, body)
    ids = _chosen(org, target, body)
    return {"ids": _written(delete_records(org, ids, _writer(body)))}


def undelete(org: Org, body: Body) -> dict[str, Any]:
    """Restore deleted records by Id."""
    ids = [str(each) for each in body.get("ids", [])]
    return {"ids": _written(undelete_records(org, ids, _writer(body)))}


def merge(org: Org, body: Body) -> dict[str, Any]:
    """Merge a record into another."""
    target = _target(org, body)
    if not target.mergeable:
        raise Refusal(400, "INVALID_TYPE", f"{target.name} can't be merged")
    if not body.get("master") or not body.get("loser"):
        raise Refusal(400, "INVALID_INPUT", "merge needs the Ids of a master and a loser")
    master = {"Id": str(body["master"]), **(body.get("fields") or {})}
    merged = merge_records(org, target, master, [str(body["loser"])], _writer(body))
    if merged.errors:
        raise merged.errors[0]
    return {"ids": [merged.id, *merged.merged_ids], "moved": list(merged.updated_related_ids)}


def create(org: Org, body: Body) -> dict[str, Any]:
    """Create given records, or n invented ones."""
    target = _target(org, body)
    given = body.get("records")
    if given is None:
        mark = org.clock.milliseconds()
        given = [
            {name: str(value).replace("{n}", f"{mark}{place}") for name, value in _invented(target).items()}
            for place in range(whole(body, "n", 1, most=_MOST_CREATED))
        ]
    return {"ids": _written(insert_records(org, target, given, _writer(body)))}


def counts(org: Org) -> dict[str, Any]:
    """Count present and deleted records of each object."""
    seen = visible_sql("t", str(org.clock.milliseconds()))
    result = {}
    for name, target in org.catalogue.objects.items():
        deleted = 'count(*) FILTER (WHERE t."IsDeleted")' if target.field("IsDeleted") else "0"
        total, gone = org.database.rows(f'SELECT count(*), {deleted} FROM "{name}" t WHERE {seen}')[0]
        result[name] = {"present": total - gone, "deleted": gone}
    return result


def expire_sessions(org: Org, body: Body) -> dict[str, Any]:
    """End all sessions; with `forgive`, make revoked refresh tokens good again."""
    if body.get("forgive"):
        org.grants.forgive()
    return {"ended": org.sessions.expire_all()}


def reset_calls(org: Org, _body: Body) -> dict[str, Any]:
    """Empty the log of calls."""
    org.calls.clear()
    return {"calls": 0}


COMMANDS: dict[str, Callable[[Org, Body], dict[str, Any]]] = {
    **control_rules.COMMANDS,
    **control_metadata.COMMANDS,
    **control_clock.COMMANDS,
    **control_faults.COMMANDS,
    **control_life.COMMANDS,
    "touch": touch,
    "delete": delete,
    "undelete": undelete,
    "merge": merge,
    "create": create,
    "expire-sessions": expire_sessions,
    "signin": set_sign_in,
    "calls/reset": reset_calls,
}


LOOKS: dict[str, Callable[[Org, Mapping[str, str]], Any]] = {
    **control_metadata.LOOKS,
    **control_rules.LOOKS,
    **control_clock.LOOKS,
    **control_faults.LOOKS,
    **control_life.LOOKS,
    "counts": lambda org, _params: counts(org),
    "signin": show_sign_in,
    "calls": lambda org, params: {"calls": org.calls.since(params.get("since", "0"))},
    "truth": lambda org, _params: truth(org),
}


def _as_shipped(org: Org, target: SObject, name: str) -> bool:
    """Say whether a field still is what our expressions are written for: metadata can change."""
    now, shipped = target.field(name), org.catalogue.shipped.objects[target.name].field(name)
    return now is not None and shipped is not None and now.sql_type == shipped.sql_type


def _invented(target: SObject) -> dict[str, Any]:
    """Return what a new record holds; one of an object that we know nothing of gets a name."""
    named = target.field("Name")
    if target.name in _NEW or named is None or not named.createable:
        return _NEW.get(target.name, {})
    return {"Name": f"New {target.label} {{n}}"}


def _target(org: Org, body: Body) -> SObject:
    target = org.catalogue.find(str(body.get("object", "")))
    if target is None:
        raise Refusal(400, "INVALID_TYPE", f"no object is called {body.get('object')!r}")
    return target


def _chosen(org: Org, target: SObject, body: Body) -> list[str]:
    if body.get("ids") is not None:
        return [str(each) for each in body["ids"]]
    seed = whole(body, "seed", org.clock.milliseconds(), least=-_SEEDS, most=_SEEDS)
    return _changes(org).draw(target, whole(body, "n", 1, most=_MOST_DRAWN), seed)


def _writer(body: Body) -> Writer:
    late = number(body, "visible_after_seconds", 0, most=_LATEST)
    return Writer(user_id=USER_ID, late=late, all_or_none=True, allow_duplicates=True)


def _written(results: Sequence[SaveResult]) -> list[str]:
    """Return the Ids of written records, or refuse as the first refused one was."""
    for error in (error for each in results for error in each.errors if error is not ROLLED_BACK):
        raise error
    return [str(each.id) for each in results]


def _change(body: Body) -> Change:
    return Change(user_id=USER_ID, late=number(body, "visible_after_seconds", 0, most=_LATEST))


def _changes(org: Org) -> Changes:
    return Changes(org.database, org.catalogue, org.clock)

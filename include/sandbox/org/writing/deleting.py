"""Delete records, restore them, and empty the recycle bin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from include.sandbox.org.ids import canonical, number_of
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.store.changes import Change, locked_row
from include.sandbox.org.store.tables import FOREVER
from include.sandbox.org.writing import bin as recycle_bin
from include.sandbox.org.writing.checks import check_unique, state_refusal
from include.sandbox.org.writing.drafts import Draft, good, roll_back
from include.sandbox.org.writing.effects import changes_of
from include.sandbox.org.writing.lookups import states
from include.sandbox.org.writing.results import SaveResult, Writer

if TYPE_CHECKING:
    from include.sandbox.org.org import Org

Taken = dict[str, dict[str, str]]  # object -> Id -> the record whose deletion takes it along


def delete_records(org: Org, ids: Sequence[str], writer: Writer, *, hard: bool = False) -> list[SaveResult]:
    """Move records of any objects to the recycle bin, with what lives only through them; `hard` leaves it out."""
    recycle_bin.purge(org)
    drafts = [_draft(org, each) for each in ids]
    with org.database.write():
        _refuse_twice(drafts)
        for target in _targets(org, drafts):
            _check_states(org, target, drafts, hard=hard)
        taken = _with_children(org, drafts)
        if writer.all_or_none and roll_back(drafts):
            return [each.result() for each in drafts]
        for name, roots in taken.items():
            target = org.catalogue.objects[name]
            if hard or not target.field("IsDeleted"):
                recycle_bin.shred(org, target, list(roots))
            else:
                change = Change(user_id=writer.user_id, late=writer.late)
                changes_of(org).update(target, list(roots), {"IsDeleted": True}, change)
                recycle_bin.put(org, target, roots)
    return [each.result() for each in drafts]


def undelete_records(org: Org, ids: Sequence[str], writer: Writer) -> list[SaveResult]:
    """Take records, and what went with them, back out of the recycle bin."""
    recycle_bin.purge(org)
    drafts = [_draft(org, each, deleting=False) for each in ids]
    with org.database.write():
        for target in _targets(org, drafts):
            _check_restorable(org, target, drafts)
        if writer.all_or_none and roll_back(drafts):
            return [each.result() for each in drafts]
        for draft in good(drafts):
            _restore(org, str(draft.id), writer)
    return [each.result() for each in drafts]


def empty_recycle_bin(org: Org, ids: Sequence[str], writer: Writer) -> list[SaveResult]:
    """Remove deleted records for good."""
    recycle_bin.purge(org)
    drafts = [_draft(org, each, deleting=False) for each in ids]
    with org.database.write():
        for draft in good(drafts):
            entry = recycle_bin.entry(org, str(draft.id))
            if entry is None or entry != (draft.id, False):
                draft.refuse(Refusal(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []))
        if writer.all_or_none and roll_back(drafts):
            return [each.result() for each in drafts]
        recycle_bin.empty(org, [str(each.id) for each in good(drafts)])
    return [each.result() for each in drafts]


def _draft(org: Org, given: str, *, deleting: bool = True) -> Draft:
    record_id = canonical(given)
    target = org.catalogue.of_id(record_id) if record_id else None
    draft = Draft(id=record_id)
    if record_id is None or target is None:
        draft.refuse(Refusal(400, "MALFORMED_ID", f"malformed id {given}", []))
        return draft
    draft.number = number_of(record_id)
    if deleting and not target.deletable:
        message = f"entity type {target.name} does not support delete"
        draft.refuse(Refusal(400, "INSUFFICIENT_ACCESS_OR_READONLY", message, []))
    elif not deleting and not (target.undeletable and target.field("IsDeleted")):
        message = f"entity type {target.name} does not support undelete"
        draft.refuse(Refusal(400, "UNDELETE_FAILED", message, []))
    return draft


def _targets(org: Org, drafts: Iterable[Draft]) -> list[SObject]:
    prefixes = dict.fromkeys(str(each.id)[:3] for each in drafts if not each.refusals)
    return [target for each in prefixes if (target := org.catalogue.of_id(each)) is not None]


def _of(target: SObject, drafts: Sequence[Draft]) -> list[Draft]:
    return [each for each in good(drafts) if str(each.id).startswith(target.prefix)]


def _refuse_twice(drafts: Sequence[Draft]) -> None:
    seen: set[str] = set()
    for draft in good(drafts):
        if str(draft.id) in seen:
            draft.refuse(Refusal(404, "ENTITY_IS_DELETED", "entity is deleted", []))
        seen.add(str(draft.id))


def _check_states(org: Org, target: SObject, drafts: Sequence[Draft], *, hard: bool) -> None:
    own = _of(target, drafts)
    found = states(org, target, [each.number for each in own if each.number is not None])
    for draft in own:
        state = found.get(draft.number) if draft.number is not None else None
        refusal = state_refusal(state)
        if refusal is not None and not (hard and refusal.code == "ENTITY_IS_DELETED"):
            draft.refuse(refusal)


def _with_children(org: Org, drafts: Sequence[Draft]) -> Taken:
    """Return all records that go, level by level; a locked child keeps its parent."""
    going = {str(each.id): each for each in good(drafts)}
    taken: Taken = {}
    level: Taken = {
        target.name: {str(each.id): str(each.id) for each in _of(target, drafts)} for target in _targets(org, drafts)
    }
    while level:
        below: Taken = {}
        for name, roots in level.items():
            taken.setdefault(name, {}).update(roots)
            for link in org.catalogue.objects[name].children:
                child = org.catalogue.find(link.object) if link.cascade else None
                if child is not None:
                    below.setdefault(child.name, {}).update(_children(org, child, link.field, roots, going))
        level = {
            name: fresh
            for name, roots in below.items()
            if (fresh := {each: root for each, root in roots.items() if each not in taken.get(name, {})})
        }
    refused = {record_id for record_id, draft in going.items() if draft.refusals}
    kept = {name: {each: root for each, root in roots.items() if root not in refused} for name, roots in taken.items()}
    return {name: roots for name, roots in kept.items() if roots}


def _children(
    org: Org, child: SObject, field: str, roots: dict[str, str], going: dict[str, Draft]
) -> dict[str, str]:  # fmt: skip
    """Return the present children of records by Id, each with the root that takes it along."""
    now = org.clock.milliseconds()
    present = ' AND NOT t."IsDeleted"' if child.field("IsDeleted") else ""
    sql = (
        f'SELECT t."Id", t."{field}", t._from > {now} FROM "{child.name}" t WHERE t._until = {FOREVER}{present}'
        f' AND t."{field}" IN (SELECT unnest($1::VARCHAR[])) ORDER BY t._n'
    )
    found: dict[str, str] = {}
    for record_id, parent, locked in org.database.rows(sql, [list(roots)]):
        found[record_id] = root = roots[parent]
        if locked and not going[root].refusals:
            going[root].refuse(locked_row(record_id))
    return found


def _check_restorable(org: Org, target: SObject, drafts: Sequence[Draft]) -> None:
    own = _of(target, drafts)
    unique = [each.name for each in target.fields if each.unique and each.stored]
    found = states(org, target, [each.number for each in own if each.number is not None], *unique)
    for draft in own:
        state = found.get(draft.number) if draft.number is not None else None
        entry = recycle_bin.entry(org, str(draft.id))
        if state is None:
            draft.refuse(Refusal(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []))
        elif not state.deleted or (entry is not None and entry[1]):
            draft.refuse(Refusal(400, "UNDELETE_FAILED", "Entity is not in the recycle bin", []))
        elif state.locked:
            draft.refuse(locked_row(state.id))
        else:
            draft.values = dict(zip(unique, state.marks, strict=True))
    check_unique(org, target, own)


def _restore(org: Org, record_id: str, writer: Writer) -> None:
    own = org.catalogue.of_id(record_id)
    companions = recycle_bin.companions(org, record_id)
    if own is not None:
        companions.setdefault(own.name, [])
        if record_id not in companions[own.name]:
            companions[own.name].append(record_id)
    for name, ids in companions.items():
        target = org.catalogue.find(name)
        if target is not None:
            values = {"IsDeleted": False} | ({"MasterRecordId": None} if target.field("MasterRecordId") else {})
            changes_of(org).update(target, ids, values, Change(user_id=writer.user_id, late=writer.late))
            recycle_bin.take(org, ids)

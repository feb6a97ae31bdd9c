"""Merge records of one object: the losers go to the recycle bin and point to their master, their children move over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from include.sandbox.org.ids import canonical, number_of
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import Field, SObject
from include.sandbox.org.schema.history import HISTORIES
from include.sandbox.org.store.changes import Change
from include.sandbox.org.writing import bin as recycle_bin
from include.sandbox.org.writing.checks import check_states
from include.sandbox.org.writing.drafts import Draft, changed_draft, wrong_id
from include.sandbox.org.writing.effects import changes_of
from include.sandbox.org.writing.kinship import HIERARCHY, circular
from include.sandbox.org.writing.lookups import old_values
from include.sandbox.org.writing.results import MergeResult, Writer
from include.sandbox.org.writing.saving import write_drafts

if TYPE_CHECKING:
    from include.sandbox.org.org import Org

_MOST_LOSERS = 2
_HISTORIES = frozenset(each.name for each in HISTORIES)
_ONE_EACH = {"CampaignMember": "CampaignId"}  # children that a parent may have only once for each of these


class _UndoneError(Exception):
    def __init__(self, refusals: tuple[Refusal, ...]) -> None:
        super().__init__()
        self.refusals = refusals


def merge_records(
    org: Org, target: SObject, master_row: Mapping[str, Any], loser_ids: Sequence[str], writer: Writer
) -> MergeResult:
    """Merge one or two losers into the record that `master_row` names in Id; its other values are written to it."""
    recycle_bin.purge(org)
    try:
        with org.database.write():
            return _merge(org, target, master_row, loser_ids, writer)
    except _UndoneError as undone:
        return MergeResult(errors=undone.refusals)
    except Refusal as refusal:  # somebody else holds a child
        return MergeResult(errors=(refusal,))


def _merge(
    org: Org, target: SObject, master_row: Mapping[str, Any], loser_ids: Sequence[str], writer: Writer
) -> MergeResult:
    master, losers = _checked(org, target, master_row, loser_ids, writer)
    master_id, lost = str(master.id), [str(each.id) for each in losers]
    change = Change(user_id=writer.user_id, late=writer.late)
    master.values = _inherited(org, target, master, losers) | master.values
    _refuse_cycles(org, target, master, losers)
    # The losers go first: the master may take over a value that must be unique.
    changes = changes_of(org)
    changes.update(target, lost, {"IsDeleted": True, "MasterRecordId": master_id}, change)
    recycle_bin.put(org, target, {each: each for each in lost})
    write_drafts(org, target, [master], writer)
    if master.refusals:
        raise _UndoneError(master.refusals)
    moved = _move_children(org, target, master_id, lost, change)
    with org.database.write() as cursor:
        event = f"{target.name.lower()}Merged"
        changes.history.note_event(
            cursor, target, [master_id], event, user_id=writer.user_id, stamp=changes.stamp()
        )  # fmt: skip
    return MergeResult(id=master_id, merged_ids=tuple(lost), updated_related_ids=tuple(moved))


def _checked(
    org: Org, target: SObject, master_row: Mapping[str, Any], loser_ids: Sequence[str], writer: Writer
) -> tuple[Draft, list[Draft]]:
    """Return the master and its losers, all of them present and free, or refuse the merge."""
    if not target.mergeable:
        message = f"entity type {target.name} does not support merge"
        raise _UndoneError((Refusal(400, "INVALID_TYPE_FOR_OPERATION", message, []),))
    if not 1 <= len(loser_ids) <= _MOST_LOSERS:
        message = f"A merge takes one or two records beside the master, not {len(loser_ids)}"
        raise _UndoneError((Refusal(400, "MERGE_FAILED", message, []),))
    master = changed_draft(target, master_row, writer)
    losers = [_loser(target, each) for each in loser_ids]
    everyone = [master, *losers]
    if not any(each.refusals for each in everyone) and len({each.id for each in everyone}) < len(everyone):
        master.refuse(Refusal(400, "MERGE_FAILED", "A record can't be merged with itself", []))
    check_states(org, target, everyone)
    refusals = tuple(refusal for each in everyone for refusal in each.refusals)
    if refusals:
        raise _UndoneError(refusals)
    return master, losers


def _loser(target: SObject, given: str) -> Draft:
    record_id = canonical(given)
    draft = Draft(id=record_id, number=number_of(given))
    if record_id is None or record_id[:3] != target.prefix:
        draft.refuse(wrong_id(target, given))
    return draft


def _inherited(org: Org, target: SObject, master: Draft, losers: Sequence[Draft]) -> dict[str, Any]:
    """Return the superior that the master takes over from its losers, if it has none."""
    if target.name != "Contact":
        return {}
    numbers = [each.number for each in (master, *losers) if each.number is not None]
    rows = old_values(org, target, numbers, ["ReportsToId"])
    superiors = [rows[each]["ReportsToId"] for each in numbers if each in rows]
    if superiors[0] is not None:
        return {}
    taken = next((each for each in superiors[1:] if each is not None), None)
    return {"ReportsToId": taken} if taken is not None else {}


def _refuse_cycles(org: Org, target: SObject, master: Draft, losers: Sequence[Draft]) -> None:
    """Refuse a merge after which a record would stand above itself."""
    name = HIERARCHY.get(target.name)
    if name is None or not target.field(name):
        return
    gone = {str(each.id) for each in losers}
    above = master.values.get(name) or _above(org, target, name, str(master.id))
    seen: set[str] = set()
    while above is not None and above not in seen:
        if above in gone or above == master.id:
            raise _UndoneError((circular(name),))
        seen.add(above)
        above = _above(org, target, name, above)


def _above(org: Org, target: SObject, name: str, record_id: str) -> str | None:
    number = number_of(record_id)
    rows = old_values(org, target, [number], [name]) if number is not None else {}
    found: str | None = rows.get(number or 0, {}).get(name)
    return found


def _move_children(org: Org, target: SObject, master: str, losers: Sequence[str], change: Change) -> list[str]:
    """Give the losers' children to the master; that moves SystemModstamp alone."""
    system = Change(user_id=change.user_id, late=change.late, system_only=True)
    moved: list[str] = []
    for child in org.catalogue.objects.values():
        for field in child.fields:
            if target.name not in field.parents or not _moves(child, field):
                continue
            ids = changes_of(org).children(child, field.name, losers)
            ids = _without_doubles(org, child, field, master, ids, change)
            changes_of(org).update(child, ids, {field.name: master}, system)
            moved += [each for each in ids if each not in moved]
    return moved


def _moves(child: SObject, field: Field) -> bool:
    if child.name in _HISTORIES or not field.stored or field.name == "MasterRecordId":
        return False
    return field.createable or field.name == "AccountId"


def _without_doubles(org: Org, child: SObject, field: Field, master: str, ids: list[str], change: Change) -> list[str]:
    """Delete children that the master has already, and return the others."""
    key = _ONE_EACH.get(child.name)
    if key is None or not ids:
        return ids
    own = changes_of(org).children(child, field.name, [master])
    numbers = {each: number_of(each) or 0 for each in (*own, *ids)}
    keys = old_values(org, child, list(numbers.values()), [key])
    held = {keys[numbers[each]][key] for each in own}
    doubles = []
    for each in ids:
        if keys[numbers[each]][key] in held:
            doubles.append(each)
        held.add(keys[numbers[each]][key])
    changes_of(org).update(child, doubles, {"IsDeleted": True}, change)
    recycle_bin.put(org, child, {each: each for each in doubles})
    return [each for each in ids if each not in doubles]

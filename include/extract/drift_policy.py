"""Decide what an org's policy makes of changed fields: followed, frozen, failed or overtaken; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.config.schema_changes import ChangeClass, Policy, SchemaChangesDefinition
from include.fields import LEFT_OUT
from include.records import Describe, FieldChange
from include.warehouse.columns import fits, widens
from include.warehouse.schema_changes import OpenChange
from include.warehouse.tables import column_type

_CLASSES = {
    "added": ChangeClass.ADDED,
    "returned": ChangeClass.ADDED,
    "removed": ChangeClass.REMOVED,
    "type": ChangeClass.SIZE,  # unless its column cannot take the values
    "length": ChangeClass.SIZE,
    "formula": ChangeClass.FORMULA,
    "picklist": ChangeClass.PICKLIST,
    "label": ChangeClass.LABEL,
}
_OF_THE_COLUMN = frozenset({"added", "returned", "removed", "type"})  # a later one of them overtakes an earlier


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Hold a change with its class and policy; `accepted`: a person accepted exactly this one."""

    change: FieldChange
    change_class: ChangeClass
    policy: Policy
    accepted: bool = False
    change_id: int | None = None  # it is written down already

    @property
    def followed(self) -> bool:
        """Return whether the warehouse follows."""
        return self.policy is Policy.EVOLVE or self.accepted

    @property
    def state(self) -> str:
        """Return the ledger's word for it."""
        if self.followed:
            return "followed"
        return "frozen" if self.policy is Policy.FREEZE else "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Say what becomes of everything that changed, and of what was held back before."""

    judged: tuple[Judged, ...]
    overtaken: tuple[int, ...]  # changes that were held back and are no more what the org says
    held: frozenset[str]  # fields that are described and not read

    @property
    def refused(self) -> tuple[Judged, ...]:
        """Return the changes that stop the object's runs."""
        return tuple(each for each in self.judged if each.state == "failed")

    @property
    def followed_fields(self) -> frozenset[str]:
        """Return the fields of which a change is followed."""
        return frozenset(each.change.field for each in self.judged if each.followed)


def judge(
    changes: Sequence[FieldChange],
    waiting: Sequence[OpenChange],
    describe: Describe,
    *,
    policies: SchemaChangesDefinition,
    columns: Mapping[str, str],
) -> Verdict:
    """Return what becomes of the changes of one object.

    Args:
        changes: what differs between the describe that was kept last and this one.
        waiting: the object's changes that were held back.
        describe: of now.
        policies: of the org.
        columns: that the object's table has, with their types.
    """
    needed = {field.name: column_type(field) for field in describe.fields if field.type not in LEFT_OUT}
    known = {each.key: each for each in waiting if each.state == "failed"}

    def judged(change: FieldChange, old: OpenChange | None) -> Judged:
        found = class_of(change, columns.get(change.field, ""), needed.get(change.field, ""))
        return Judged(
            change=change,
            change_class=found,
            policy=policies.policy_of(describe.object, found),
            accepted=old is not None and old.accepted,
            change_id=old.change_id if old else None,
        )

    now = [judged(each, known.get(_key(each))) for each in changes]
    again = {each.change_id for each in now}
    left = [each for each in waiting if each.change_id not in again]
    overtaken = [each for each in left if each.state == "failed" or _overtakes(each, changes)]
    earlier = [_unless_failed(judged(each.change, each)) for each in left if each not in overtaken]
    everything = (*now, *earlier)
    held = {each.change.field for each in everything if _keeps_out(each, columns, needed)}
    return Verdict(
        judged=everything,
        overtaken=tuple(each.change_id for each in overtaken),
        held=frozenset(held),
    )


def class_of(change: FieldChange, column: str, needed: str) -> ChangeClass:
    """Return the class of a change; a type counts as another one when the field's column cannot take the values.

    Args:
        change: what changed.
        column: type of the field's column, "" when it has none.
        needed: type of the column that its values need, "" when they are not read.
    """
    new_type = change.kind in ("added", "returned", "type") and column and needed
    if new_type and not fits(column, needed):
        return ChangeClass.SIZE if widens(column, needed) and change.kind == "type" else ChangeClass.TYPE
    return _CLASSES[change.kind]


def may_follow(waiting: Sequence[OpenChange], policies: SchemaChangesDefinition, object: str) -> bool:
    """Return whether something that was held back would be followed by now, so that the org must be asked again."""
    return any(
        each.accepted
        or not each.change_class
        or policies.policy_of(object, ChangeClass(each.change_class)) is Policy.EVOLVE
        for each in waiting
    )


def _key(change: FieldChange) -> tuple[str, str, str, str]:
    return change.field, change.kind, change.before, change.after


def _overtakes(waiting: OpenChange, changes: Sequence[FieldChange]) -> bool:
    return any(
        each.field == waiting.change.field
        and (each.kind == waiting.change.kind or {each.kind, waiting.change.kind} <= _OF_THE_COLUMN)
        for each in changes
    )


def _unless_failed(judged: Judged) -> Judged:
    """Keep frozen what was frozen: a policy that became stricter is for what comes."""
    if judged.state != "failed":
        return judged
    return Judged(
        change=judged.change, change_class=judged.change_class, policy=Policy.FREEZE, change_id=judged.change_id
    )


def _keeps_out(judged: Judged, columns: Mapping[str, str], needed: Mapping[str, str]) -> bool:
    """Return whether a frozen change keeps its field from being read."""
    change = judged.change
    if judged.state != "frozen" or change.field not in needed:
        return False
    if change.kind in ("added", "returned"):
        return True
    column = columns.get(change.field, "")
    return change.kind == "type" and not fits(column, needed[change.field])

"""Bring what the org says about an object's fields into the warehouse, as far as the org's policy allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy import Connection, Engine

from include.config.orgs import OrgDefinition
from include.config.schema_changes import Policy, SchemaChangesDefinition
from include.errors import DefinitionError, SchemaFrozen
from include.extract.drift import field_changes, rewritten_fields
from include.extract.drift_policy import Judged, Verdict, judge, may_follow
from include.records import Describe
from include.salesforce.composite import SubResponse, describe_in
from include.warehouse.columns import change_column, fits
from include.warehouse.describes import keep_describe, note_unfilled, stored_describe
from include.warehouse.engine import transaction
from include.warehouse.extracts.cursors import forget_cursor, read_cursor
from include.warehouse.extracts.slices import close_slice, open_slices
from include.warehouse.schema_changes import KeptChange, fields_gone, keep_changes, open_changes, overtake_changes
from include.warehouse.tables import Table, apply_describe, existing_columns, lock_tables, table_of

_WORDS = {
    "added": "is new",
    "returned": "is there again",
    "removed": "is gone from the org, or hidden from our user",
    "type": "has another type",
    "length": "has another size",
    "formula": "changed",
    "picklist": "has other picklist values",
    "label": "has another label",
}


def follow_describe(engine: Engine, org: OrgDefinition, describe: Describe) -> int:
    """Keep a describe and change the object's table as the policy says; return how many fields changed.

    A column that is new, or whose field is read again, lacks the values of the rows that are here, and the org moves no
    stamp for them: it is noted as unfilled (`include.extract.fill`).

    Raises:
        SchemaFrozen: a change is one that the policy lets fail, or a column's type is another than any describe said;
            the changes are written down, nothing of them was followed.
    """
    with transaction(engine) as connection:
        lock_tables(connection, org.schema_name)
        before = stored_describe(connection, org.org, describe.object)
        columns = existing_columns(connection, table_of(org.org, org.schema_name, describe))
        gone = fields_gone(connection, org.org, describe.object)
        changes = field_changes(before, describe, gone=gone)
        verdict = judge(
            changes,
            open_changes(connection, org.org, describe.object),
            describe,
            policies=_policies(org, describe.object),
            columns=columns,
        )
        overtake_changes(connection, verdict.overtaken)
        if verdict.refused:
            # Of the rest nothing is written: it is told again with the describe that will be kept.
            keep_changes(connection, org.org, [_kept(each, "") for each in verdict.refused])
        else:
            table = _follow(connection, org, describe, before, verdict, columns)
            _note_unfilled(connection, org, describe.object, rewritten_fields(changes) & table.columns.keys())
    if verdict.refused:
        raise SchemaFrozen(_words(org, verdict))
    return len(changes)


def follow_answer(engine: Engine, org: OrgDefinition, object: str, response: SubResponse) -> int | None:
    """Follow the describe in an answer and return how many fields changed; None when the org says that nothing did.

    Raises:
        DefinitionError: the object is spelt otherwise in the org.
        SchemaFrozen: as `follow_describe`. Other errors as `describe_in`.
    """
    describe = describe_in(response)
    if describe is None:
        return None
    if describe.object != object:
        raise DefinitionError(f"the org calls the object {object!r} {describe.object!r}; write it so", key="objects")
    return follow_describe(engine, org, describe)


def describe_stamp(connection: Connection, org: OrgDefinition, object: str) -> str | None:
    """Return since when the org need not repeat an object's describe; None when it must come in any case."""
    describe = stored_describe(connection, org.org, object)
    waiting = open_changes(connection, org.org, object)
    if describe is None or may_follow(waiting, org.schema_changes, object):
        return None
    return describe.last_modified


def _follow(
    connection: Connection,
    org: OrgDefinition,
    describe: Describe,
    before: Describe | None,
    verdict: Verdict,
    columns: Mapping[str, str],
) -> Table:
    fields = tuple(replace(each, held=each.name in verdict.held) for each in describe.fields)
    described = replace(describe, fields=fields)
    table = table_of(org.org, org.schema_name, described)
    notes = _change_columns(connection, table, verdict, columns)
    added = apply_describe(connection, table)
    keep_changes(connection, org.org, [_kept(each, _note(each, notes)) for each in verdict.judged])
    keep_describe(connection, org.org, described)
    read = table_of(org.org, org.schema_name, before).columns.keys() if before else table.columns.keys()
    _note_unfilled(connection, org, describe.object, {*added, *(table.columns.keys() - read)})
    return table


def _note_unfilled(connection: Connection, org: OrgDefinition, object: str, fields: Collection[str]) -> None:
    """Note which fields must be read for the records that are here; what is read from the beginning brings them all.

    A large load that is under way, or lies unfinished, has brought records already and is gone on with.
    """
    unfinished = open_slices(connection, org.org, object)
    if not fields or (read_cursor(connection, org.org, object).at is None and not unfinished):
        return
    if org.query(object):
        forget_cursor(connection, org.org, object)
        for each in unfinished:
            close_slice(connection, each.slice_id, "abandoned")
    else:
        note_unfilled(connection, org.org, object, fields)


def _change_columns(
    connection: Connection, table: Table, verdict: Verdict, columns: Mapping[str, str]
) -> dict[str, str]:
    """Make room for followed changes of a type; return what was done, by field."""
    notes = {}
    for name, needed in table.columns.items():
        column = columns.get(name)
        if column and not fits(column, needed) and name in verdict.followed_fields:
            notes[name] = change_column(connection, table.name, name, column, needed)
    return notes


def _policies(org: OrgDefinition, object: str) -> SchemaChangesDefinition:
    """Return the policies for an object; of a query, whose text a person has just changed, only that for types."""
    if org.query(object) is None:
        return org.schema_changes
    types = org.schema_changes.type
    return SchemaChangesDefinition(type=Policy.FAIL if types is Policy.FREEZE else types)


def _kept(judged: Judged, note: str) -> KeptChange:
    return KeptChange(
        change=judged.change,
        change_class=judged.change_class.value,
        policy=judged.policy.value,
        state=judged.state,
        note=note,
        change_id=judged.change_id,
    )


def _note(judged: Judged, notes: Mapping[str, str]) -> str:
    kind = judged.change.kind
    if judged.state == "frozen":
        return "its values are not read" if kind in ("added", "returned", "type") else ""
    if kind == "removed":
        return "its column stays, with the last values"
    return notes.get(judged.change.field, "") if kind in ("added", "returned", "type") else ""


def _words(org: OrgDefinition, verdict: Verdict) -> str:
    told = "; ".join(
        f"{each.change.object}.{each.change.field} {_WORDS[each.change.kind]}{_span(each)}"
        f" (schema_changes.{each.change_class.value}: fail)"
        for each in verdict.refused
    )
    return (
        f"{told}. Nothing was changed in the warehouse, and this object is not read until it is decided: accept the"
        f" change on the page CRM → Schema, or change the policy in orgs/{org.org}.yaml, or take it back in Salesforce"
    )


def _span(judged: Judged) -> str:
    before, after = judged.change.before, judged.change.after
    return f": {before} before, {after} now" if before and after else ""

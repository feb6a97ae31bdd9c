"""Changes of metadata as plain functions: the snapshot before and an order in, the objects after and SQL out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from include.sandbox.org.metadata.conversion import converted_sql
from include.sandbox.org.metadata.fields import Body, custom_name, new_field, refuse, type_of
from include.sandbox.org.metadata.filling import quoted, rebuilt_sql, sample_sql, wide_orders
from include.sandbox.org.schema.catalogue import Snapshot
from include.sandbox.org.schema.field import ChildLink, Field, SObject, text
from include.sandbox.org.schema.standard import audit, deletion, owner, record_id
from include.sandbox.org.store.tables import FOREVER, table_sql

_WIDEST = 900
_PREFIXES = tuple(f"a9{digit}" for digit in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
# What the platform itself needs; nobody can hide these from the one user.
_KEPT = frozenset(
    {"id", "isdeleted", "createddate", "createdbyid", "lastmodifieddate", "lastmodifiedbyid", "systemmodstamp", "name",
     "masterrecordid", "ownerid"}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Hold what a change does: objects as they are then, and statements for their tables."""

    objects: tuple[SObject, ...]
    statements: tuple[str, ...] = ()


def add_field(snapshot: Snapshot, body: Body) -> Edit:
    """Add a custom field; records there are get its default."""
    target, added = find_object(snapshot, body), new_field(body)
    if target.field(added.name) is not None:
        raise refuse(f"there is already a field {added.name} on {target.name}")
    parents = [_with_child(snapshot.find(name), target, added) for name in added.parents]
    changed = {each.name: each for each in parents if each is not None}
    target = changed.get(target.name, target)
    changed[target.name] = replace(target, fields=(*target.fields, added))
    table, column = f'"{target.name}"', f'"{added.name}"'
    return Edit(
        objects=tuple(changed.values()),
        statements=(
            f"ALTER TABLE {table} DROP COLUMN IF EXISTS {column}",  # of a field of that name that was removed before
            f"ALTER TABLE {table} ADD COLUMN {column} {added.sql_type}{_default_sql(added)}",
        ),
    )


def remove_field(snapshot: Snapshot, body: Body) -> Edit:
    """Take a field away: a custom one is deleted, a standard one hidden as by field-level security.

    Its values stay in the table, as those of a deleted field do for fifteen days.
    """
    target, gone = find_field(snapshot, body)
    if gone.name.lower() in _KEPT or gone.type == "address" or gone.name_field:
        raise refuse(f"{target.name}.{gone.name} can't be removed")
    _refuse_if_used(target, gone)
    rest = replace(target, fields=tuple(each for each in target.fields if each is not gone))
    changed = {rest.name: rest}
    for name in gone.parents:
        parent = changed.get(name) or snapshot.find(name)
        if parent is not None:
            links = (each for each in parent.children if (each.object, each.field) != (target.name, gone.name))
            changed[parent.name] = replace(parent, children=tuple(links))
    return Edit(objects=tuple(changed.values()))


def retype(snapshot: Snapshot, body: Body) -> Edit:
    """Give a custom field another type or size; values that can't be converted are lost."""
    target, old = find_field(snapshot, body)
    if not old.custom or not old.stored or old.type == "reference" or type_of(body) == "reference":
        raise refuse(
            f"the type of {target.name}.{old.name} can't be changed to {body.get('type')}:"
            " only custom fields that hold values of their own change it, and none from or to a reference"
        )
    _refuse_if_used(target, old)
    new = new_field({"label": old.label, "help": old.help, "values": old.picklist or None, **body, "name": old.name})
    statement = (
        f'ALTER TABLE "{target.name}" ALTER COLUMN "{old.name}" TYPE {new.sql_type} USING {converted_sql(old, new)}'
    )
    return Edit(objects=(_with_field(target, old, new),), statements=(statement,))


def rename_label(snapshot: Snapshot, body: Body) -> Edit:
    """Give a field or an object another label; API names stay."""
    label = str(body.get("label") or "")
    if not label:
        raise refuse("rename_label needs a label")
    if body.get("field"):
        target, old = find_field(snapshot, body)
        return Edit(objects=(_with_field(target, old, replace(old, label=label)),))
    target = find_object(snapshot, body)
    return Edit(objects=(replace(target, label=label, plural=str(body.get("plural") or label + "s")),))


def change_picklist(snapshot: Snapshot, body: Body) -> Edit:
    """Add, deactivate, activate and rename values; a renamed value changes in its records too, without a new stamp."""
    target, old = find_field(snapshot, body)
    if not old.picklist and not old.inactive:
        raise refuse(f"{target.name}.{old.name} is no picklist")
    renamed = {str(before): str(after) for before, after in (body.get("rename") or {}).items()}
    active = [renamed.get(each, each) for each in old.picklist]
    inactive = [renamed.get(each, each) for each in old.inactive]
    unknown = [each for each in (*renamed, *body.get("deactivate", ())) if each not in (*old.picklist, *old.inactive)]
    if unknown:
        raise refuse(f"{target.name}.{old.name} has no value {unknown[0]!r}")
    active += [each for each in (*body.get("add", ()), *body.get("activate", ())) if each not in active]
    off = {str(each) for each in body.get("deactivate", ())}
    inactive = [*(each for each in inactive if each not in active), *(each for each in active if each in off)]
    labels = dict(old.value_labels) | {str(key): str(value) for key, value in (body.get("labels") or {}).items()}
    new = replace(
        old, picklist=tuple(each for each in active if each not in off), inactive=tuple(inactive),
        value_labels=tuple(labels.items()), default=renamed.get(old.default, old.default),
        restricted=bool(body.get("restricted", old.restricted)),
    )  # fmt: skip
    statements = tuple(renamed_sql(target.name, old, before, after) for before, after in renamed.items())
    return Edit(objects=(_with_field(target, old, new),), statements=statements)


def add_object(snapshot: Snapshot, body: Body) -> Edit:
    """Add a custom object with its fields, and records with sample values if asked."""
    name = custom_name(body)
    if snapshot.find(name) is not None:
        raise refuse(f"there is already an object {name}")
    label = str(body.get("label") or name.removesuffix("__c").replace("_", " "))
    prefix = next((each for each in _PREFIXES if each not in snapshot.by_prefix), None)
    if prefix is None:
        raise refuse("no key prefix is left for another object")
    title = text("Name", f"{label} Name", 80, name_field=True, required=True)
    target = SObject(
        name=name,
        label=label,
        plural=str(body.get("plural") or label + "s"),
        prefix=prefix,
        fields=(record_id("Record"), owner(), deletion(), title, *audit()),
    )
    edit = Edit(objects=(target,), statements=(f'DROP TABLE IF EXISTS "{name}"', table_sql(target)))
    for order in body.get("fields") or ():
        after = add_field(snapshot.with_objects(edit.objects), {**order, "object": name})
        objects = {each.name: each for each in (*edit.objects, *after.objects)}
        edit = Edit(objects=tuple(objects.values()), statements=(*edit.statements, *after.statements))
    return edit


def make_wide(snapshot: Snapshot, body: Body) -> Edit:
    """Add fields of all types with sample values until the object has so many."""
    target = find_object(snapshot, body)
    wanted = int(body.get("fields", 800))
    if wanted > _WIDEST:
        raise refuse(f"an object has at most {_WIDEST} fields here")
    first = sum(1 for each in target.fields if each.name.startswith("W") and each.name[1:4].isdigit())
    added = [new_field(order) for order in wide_orders(max(0, wanted - len(target.fields)), first)]
    columns = {each.name: f"({sample_sql(each, place)})::{each.sql_type}" for place, each in enumerate(added)}
    wide = replace(target, fields=(*target.fields, *added))
    return Edit(objects=(wide,), statements=rebuilt_sql(target.name, added=columns, dropped=[]) if added else ())


def restore_field(snapshot: Snapshot, body: Body, *, before: Field, parents: tuple[str, ...]) -> Edit:
    """Bring a removed field back with its values."""
    target = find_object(snapshot, body)
    if target.field(before.name) is not None:
        raise refuse(f"{target.name}.{before.name} is not removed")
    changed = [_with_child(snapshot.find(name), target, before) for name in parents]
    objects = {each.name: each for each in changed if each is not None}
    target = objects.get(target.name, target)
    objects[target.name] = replace(target, fields=(*target.fields, before))
    filled: tuple[str, ...] = ()
    if before.stored and before.default is not None:
        filled = (
            f'UPDATE "{target.name}" SET "{before.name}" = {_literal(before.default)} WHERE "{before.name}" IS NULL',
        )
    return Edit(objects=tuple(objects.values()), statements=filled)


def renamed_sql(table: str, each: Field, before: str, after: str) -> str:
    """Return the statement that gives records the new name of a picklist value."""
    column, old, new = f'"{each.name}"', quoted(before), quoted(after)
    if each.type == "multipicklist":
        parts = f"list_transform(string_split({column}, ';'), lambda v: CASE WHEN v = {old} THEN {new} ELSE v END)"
        return (
            f"UPDATE \"{table}\" SET {column} = array_to_string({parts}, ';')"
            f" WHERE list_contains(string_split({column}, ';'), {old})"
        )
    return f'UPDATE "{table}" SET {column} = {new} WHERE {column} = {old}'


def sample_rows_sql(target: SObject, count: int, stamp: str, user_id: str, id_sql: str) -> str:
    """Return the statement that fills a new object with records."""
    own = {"Id": id_sql, "IsDeleted": "FALSE", "Name": f"{quoted(target.label)} || ' ' || _n"}
    own |= dict.fromkeys(("OwnerId", "CreatedById", "LastModifiedById"), quoted(user_id))
    own |= dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), f"TIMESTAMP {quoted(stamp)}")
    columns = {each.name: own.get(each.name) or sample_sql(each, place) for place, each in enumerate(target.columns)}
    names = ", ".join(f'"{name}"' for name in columns)
    return (
        f'INSERT INTO "{target.name}" (_n, _from, _until, _defects, {names}) SELECT _n, 0, {FOREVER}, 0, '
        f"{', '.join(columns.values())} FROM range(1, {count + 1}) numbers(_n)"
    )


EDITS: Mapping[str, Callable[[Snapshot, Body], Edit]] = {
    "add_field": add_field,
    "remove_field": remove_field,
    "retype": retype,
    "rename_label": rename_label,
    "change_picklist": change_picklist,
    "add_object": add_object,
    "make_wide": make_wide,
}


def find_object(snapshot: Snapshot, body: Body) -> SObject:
    """Return the object that an order names, or refuse it."""
    target = snapshot.find(str(body.get("object", "")))
    if target is None:
        raise refuse(f"no object is called {body.get('object')!r}")
    return target


def find_field(snapshot: Snapshot, body: Body) -> tuple[SObject, Field]:
    """Return the object and the field that an order names, or refuse it."""
    target = find_object(snapshot, body)
    found = target.field(str(body.get("field", "")))
    if found is None:
        raise refuse(f"{target.name} has no field {body.get('field')!r}")
    return target, found


def _with_field(target: SObject, old: Field, new: Field) -> SObject:
    return replace(target, fields=tuple(new if each is old else each for each in target.fields))


def _with_child(parent: SObject | None, child: SObject, link: Field) -> SObject | None:
    """Return the parent with the relationship that a lookup makes on it."""
    if parent is None:
        return None
    name = child.plural.replace(" ", "_") + ("__r" if link.custom else "")
    taken = {each.name for each in parent.children}
    if name in taken:
        name = f"{link.name.removesuffix('__c')}_{name}"
    return replace(parent, children=(*parent.children, ChildLink(object=child.name, field=link.name, name=name)))


def _refuse_if_used(target: SObject, wanted: Field) -> None:
    users = [each.name for each in target.fields if each.formula and f'"{wanted.name}"' in each.formula]
    if users:
        raise refuse(f"{target.name}.{wanted.name} is used by the formula {users[0]}")


def _default_sql(added: Field) -> str:
    return f" DEFAULT {_literal(added.default)}" if added.default is not None else ""


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return str(value) if isinstance(value, (int, float)) else quoted(str(value))

"""Back to the objects as they were shipped: added fields and objects go, types and names come back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from include.sandbox.org.metadata.conversion import converted_sql
from include.sandbox.org.metadata.edits import Edit, find_field, renamed_sql
from include.sandbox.org.metadata.fields import Body
from include.sandbox.org.metadata.filling import rebuilt_sql
from include.sandbox.org.schema.catalogue import Snapshot
from include.sandbox.org.schema.field import Field, SObject

Columns = Mapping[str, Mapping[str, str]]  # by table: column -> its type
Removed = Mapping[tuple[str, str], Field]  # by object and field in small letters


def restored(shipped: Snapshot, now: Snapshot, removed: Removed, events: Sequence[Body], columns: Columns) -> Edit:
    """Return what makes the org's metadata what it was; values lost by a change of type stay lost."""
    statements = [*_renamed_back(shipped, events)]
    changed: list[SObject] = []
    for name, target in now.objects.items():
        before = shipped.objects.get(name)
        if before is None:
            statements.append(f'DROP TABLE "{name}"')
            changed.append(target)
        elif before != target:
            statements += _table_restored(before, target, removed, columns.get(name, {}))
            changed.append(before)
    return Edit(objects=tuple(changed), statements=tuple(statements))


def _table_restored(before: SObject, now: SObject, removed: Removed, columns: Mapping[str, str]) -> Iterable[str]:
    wanted = {each.name: each for each in before.columns}
    dropped = [name for name in columns if name not in wanted and not name.startswith("_")]
    replaced = {}
    for name, each in wanted.items():
        old = now.field(name) or removed.get((now.name, name.lower()))
        if old is not None and old.sql_type != each.sql_type:
            replaced[name] = f"({converted_sql(old, each)})::{each.sql_type}"
        elif now.field(name) is None and each.type == "boolean":
            replaced[name] = f'coalesce("{name}", FALSE)'
    if not dropped and not replaced:
        return ()
    return rebuilt_sql(before.name, replaced=replaced, dropped=dropped)


def _renamed_back(shipped: Snapshot, events: Sequence[Body]) -> Iterable[str]:
    for event in reversed(events):
        if event.get("change") != "change_picklist" or not event.get("rename"):
            continue
        target = shipped.find(str(event.get("object")))
        if target is None or target.field(str(event.get("field"))) is None:
            continue
        target, each = find_field(shipped, event)
        for before, after in event["rename"].items():
            if _free(each, str(after)):
                yield renamed_sql(target.name, each, str(after), str(before))


def _free(each: Field, value: str) -> bool:
    """Say whether a value is none of those shipped; others can't be told from values renamed to them."""
    return value not in each.picklist

"""Say how an object's fields changed between two describes; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set

from include.records import Describe, Field, FieldChange

_SHOWN_VALUES = 20  # of a picklist: more than that tells nobody anything


def field_changes(before: Describe | None, after: Describe, *, gone: Set[str] = frozenset()) -> list[FieldChange]:
    """Return what differs, in the order of the fields; nothing when the object is met for the first time.

    Args:
        before: the describe that was kept last.
        after: the describe of now.
        gone: names of fields that vanished earlier; one that is here again has returned, not been added.
    """
    if before is None:
        return []
    old = {field.name: field for field in before.fields}
    new = {field.name for field in after.fields}
    changes = []
    for field in after.fields:
        known = old.get(field.name)
        if known is None:
            kind = "returned" if field.name in gone else "added"
            changes.append(FieldChange(object=after.object, field=field.name, kind=kind, after=_type_of(field)))
        else:
            changes += _differences(after.object, known, field)
    for name, field in old.items():
        if name not in new:
            changes.append(FieldChange(object=after.object, field=name, kind="removed", before=_type_of(field)))
    return changes


def rewritten_fields(changes: Iterable[FieldChange]) -> frozenset[str]:
    """Return the fields of which an org may have rewritten the values of its records without moving a stamp.

    It converts them to another type, cuts them to a smaller size, gives them the new name of a picklist value.
    """
    return frozenset(
        each.field
        for each in changes
        if each.kind in ("type", "formula")
        or (each.kind == "picklist" and each.before)
        or (each.kind == "length" and _shrinks(each.before, each.after))
    )


def _shrinks(before: str, after: str) -> bool:
    old, new = ([int(number) for number in re.findall(r"\d+", text)] for text in (before, after))
    return len(old) != len(new) or any(later < earlier for earlier, later in zip(old, new, strict=True))


def _differences(object: str, old: Field, new: Field) -> Iterator[FieldChange]:
    pairs = {
        "type": (_type_of(old), _type_of(new)) if old.type != new.type else None,
        "length": (_size_of(old), _size_of(new)) if old.type == new.type else None,
        "formula": ("a value of its own", "calculated")
        if new.calculated and not old.calculated
        else ("calculated", "a value of its own")
        if old.calculated and not new.calculated
        else None,
        "label": (old.label, new.label),
        "picklist": _picklists(old, new),
    }
    for kind, pair in pairs.items():
        if pair is not None and pair[0] != pair[1]:
            yield FieldChange(object=object, field=new.name, kind=kind, before=pair[0], after=pair[1])


def _picklists(old: Field, new: Field) -> tuple[str, str] | None:
    """Return the values that went and those that came; None when only their order changed."""
    went = [value for value in old.picklist if value not in new.picklist]
    came = [value for value in new.picklist if value not in old.picklist]
    return (_listed(went), _listed(came)) if went or came else None


def _listed(values: list[str]) -> str:
    shown = ", ".join(values[:_SHOWN_VALUES])
    more = len(values) - _SHOWN_VALUES
    return f"{shown} and {more} more" if more > 0 else shown


def _type_of(field: Field) -> str:
    return f"{field.type}{_size_of(field)}"


def _size_of(field: Field) -> str:
    if field.precision:
        return f"({field.precision},{field.scale})"
    return f"({field.length})" if field.length else ""

"""What speaks against records on their way that only the store can tell; asked for many at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from include.sandbox.org.ids import number_of
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import Field, SObject
from include.sandbox.org.store.changes import locked_row
from include.sandbox.org.store.validation import ParentKey
from include.sandbox.org.writing.drafts import Draft, good
from include.sandbox.org.writing.lookups import State, holders, key_of, old_values, states
from include.sandbox.org.writing.rules import VALIDATION_RULES

if TYPE_CHECKING:
    from include.sandbox.org.org import Org


def check_states(org: Org, target: SObject, drafts: Sequence[Draft]) -> None:
    """Refuse changes of records that are not there, deleted, locked or converted."""
    wanted = [each.number for each in good(drafts) if each.number is not None]
    marks = ("IsConverted",) if target.field("IsConverted") else ()
    found = states(org, target, wanted, *marks)
    for draft in good(drafts):
        state = found.get(draft.number) if draft.number is not None else None
        refusal = state_refusal(state)
        if refusal is None and state is not None and any(state.marks):
            refusal = Refusal(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", [])
        if refusal is not None:
            draft.refuse(refusal)


def state_refusal(state: State | None) -> Refusal | None:
    """Return why a record can't be changed, or None."""
    if state is None:
        return Refusal(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
    if state.deleted:
        return Refusal(404, "ENTITY_IS_DELETED", "entity is deleted", [])
    if state.locked:
        return locked_row(state.id)
    return None


def link_parents(org: Org, target: SObject, drafts: Sequence[Draft]) -> None:
    """Turn references by external Id into Ids."""
    asked: dict[tuple[str, str], list[tuple[Draft, ParentKey]]] = defaultdict(list)
    for draft in good(drafts):
        for link in draft.parents:
            found = _key_field(org, link)
            if found is None:
                message = f"Field name provided, {link.key} is not an External ID or indexed field for "
                draft.refuse(Refusal(400, "INVALID_FIELD", message + (link.object or link.field.parents[0])))
            else:
                asked[(found[0].name, found[1].name)].append((draft, link))
    for (parent_name, key_name), links in asked.items():
        parent = org.catalogue.objects[parent_name]
        key = parent.by_name[key_name.lower()]
        values = [_as_key(key, link.value) for _, link in links]
        held = holders(org, parent, key, [each for each in values if each is not None])
        for (draft, link), value in zip(links, values, strict=True):
            ids = held.get(key_of(key, value), [])
            if len(ids) == 1:
                draft.values[link.field.name] = ids[0]
            else:
                draft.refuse(_no_parent(parent, key, link.value, len(ids)))


def _key_field(org: Org, link: ParentKey) -> tuple[SObject, Field] | None:
    for name in (link.object,) if link.object else link.field.parents:
        parent = org.catalogue.find(name)
        field = parent.field(link.key) if parent else None
        if parent and field and (field.external_id or field.id_lookup):
            return parent, field
    return None


def _as_key(field: Field, value: Any) -> Any:
    if value is None or field.is_text or field.is_id:
        return None if value is None else str(value)
    try:
        return float(value)
    except ValueError:
        return None


def _no_parent(parent: SObject, key: Field, value: Any, count: int) -> Refusal:
    if count > 1:
        message = f"{key.name}: more than one record found for external id field: {value}"
        return Refusal(400, "DUPLICATE_EXTERNAL_ID", message, [key.name])
    message = f"Foreign key external ID: {str(value).lower()} not found for field {key.name} in entity {parent.name}"
    return Refusal(400, "INVALID_FIELD", message, [])


def check_references(org: Org, target: SObject, drafts: Sequence[Draft]) -> None:
    """Refuse references to records that are not there, deleted or of a wrong kind, and owners who can't own."""
    names = {name for draft in drafts for name in draft.values}
    for field in (each for each in target.fields if each.type == "reference" and each.name in names):
        by_parent: dict[str, list[Draft]] = defaultdict(list)
        for draft in good(drafts):
            value = draft.values.get(field.name)
            if value is None:
                continue
            parent = org.catalogue.of_id(value)
            if parent is not None and parent.name in field.parents:
                by_parent[parent.name].append(draft)
            elif any(org.catalogue.find(each) is not None for each in field.parents):
                message = f"{field.label}: id value of incorrect type: {value}"
                draft.refuse(Refusal(400, "FIELD_INTEGRITY_EXCEPTION", message, [field.name]))
        for parent_name, referring in by_parent.items():
            _check_parents(org, target, field, org.catalogue.objects[parent_name], referring)


def _check_parents(org: Org, target: SObject, field: Field, parent: SObject, drafts: Sequence[Draft]) -> None:
    owning = field.name == "OwnerId"
    mark = {"User": "IsActive", "Group": "Type"}.get(parent.name) if owning else None
    numbers = {each: number_of(each) for each in {draft.values[field.name] for draft in drafts}}
    found = states(org, parent, [each for each in numbers.values() if each is not None], *((mark,) if mark else ()))
    for draft in drafts:
        value = draft.values[field.name]
        number = numbers[value]
        state = found.get(number) if number is not None else None
        if state is None:
            draft.refuse(Refusal(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", []))
        elif state.deleted:
            draft.refuse(Refusal(400, "ENTITY_IS_DELETED", "entity is deleted", []))
        elif mark == "IsActive" and not state.marks[0]:
            message = f"operation performed with inactive user [{value}] as owner of {target.label.lower()}"
            draft.refuse(Refusal(400, "INACTIVE_OWNER_OR_USER", message, []))
        elif mark == "Type" and state.marks[0] != "Queue":
            draft.refuse(Refusal(400, "INVALID_CROSS_REFERENCE_KEY", f"{field.label}: owner cannot be blank", []))


def check_unique(org: Org, target: SObject, drafts: Sequence[Draft]) -> None:
    """Refuse values of unique fields that another record has, or an earlier one of the same call."""
    names = {name for draft in drafts for name in draft.values}
    for field in (each for each in target.fields if each.unique and each.name in names):
        written = [each for each in good(drafts) if each.values.get(field.name) is not None]
        held = holders(org, target, field, [each.values[field.name] for each in written]) if written else {}
        seen: set[Any] = set()
        for draft in written:
            key = key_of(field, draft.values[field.name])
            others = [each for each in held.get(key, ()) if each != draft.id]
            if others or key in seen:
                draft.refuse(_not_unique(field, others[0] if others else None))
            seen.add(key)


def _not_unique(field: Field, other: str | None) -> Refusal:
    twin = other[:15] if other else "<unknown>"
    message = f"duplicate value found: {field.name} duplicates value on record with id: {twin}"
    return Refusal(400, "DUPLICATE_VALUE", message, [])


def check_validation(org: Org, target: SObject, drafts: Sequence[Draft]) -> None:
    """Refuse what breaks a validation rule, if they are on; a record may break several."""
    rules = VALIDATION_RULES.get(target.name, ()) if org.rules.validation else ()
    if not rules:
        return
    names = [name for name in {name for rule in rules for name in rule.reads} if target.field(name)]
    numbers = [each.number for each in good(drafts) if each.number is not None]
    before = old_values(org, target, numbers, names)
    for draft in good(drafts):
        row = {**before.get(draft.number or 0, {}), **draft.values}
        for rule in rules:
            if rule.wrong(row):
                draft.refuse(rule.refusal())

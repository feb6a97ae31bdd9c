"""Insert, update and upsert records, each with a result of its own.

Rows are checked and written by the thousand: what only the store can tell is asked once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from include.sandbox.org.ids import canonical, number_of
from include.sandbox.org.refusals import Refusal, not_found
from include.sandbox.org.schema.field import Field, SObject
from include.sandbox.org.store.changes import Change
from include.sandbox.org.writing import checks
from include.sandbox.org.writing.drafts import Draft, Row, changed_draft, good, new_draft, roll_back
from include.sandbox.org.writing.duplicates import check_duplicates
from include.sandbox.org.writing.effects import changes_of, complete, expressions, touch_others
from include.sandbox.org.writing.kinship import check_kinship
from include.sandbox.org.writing.lookups import holders, key_of, states
from include.sandbox.org.writing.results import SaveResult, Writer
from include.sandbox.org.writing.whole import kept

if TYPE_CHECKING:
    from include.sandbox.org.org import Org

_BLOCK = 10_000  # rows a transaction
_CHUNK = 200  # rows that Salesforce itself takes at once; what stands twice in one chunk is refused

Key = Callable[[Row], Any]


def insert_records(org: Org, target: SObject, rows: Sequence[Row], writer: Writer) -> list[SaveResult]:
    """Create records."""
    if not target.createable:
        message = f"entity type {target.name} does not support create"
        refusal = Refusal(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, [])
        return [SaveResult(errors=(refusal,))] * len(rows)

    def save(block: Sequence[Row]) -> list[Draft]:
        audit = org.rules.audit_fields
        drafts = [new_draft(target, row, writer, audit=audit) for row in block]
        write_drafts(org, target, drafts, writer)
        return drafts

    return _in_blocks(org, _cut(rows, None), save, writer)


def update_records(org: Org, target: SObject, rows: Sequence[Row], writer: Writer) -> list[SaveResult]:
    """Change records; each row names its record in Id."""

    def save(block: Sequence[Row]) -> list[Draft]:
        drafts = [changed_draft(target, row, writer) for row in block]
        write_drafts(org, target, drafts, writer)
        return drafts

    return _in_blocks(org, _cut(rows, lambda row: _given(row, "Id")), save, writer)


def upsert_records(
    org: Org, target: SObject, external_field: str, rows: Sequence[Row], writer: Writer, *, update_only: bool = False
) -> list[SaveResult]:
    """Create or change records, found by Id or by an external Id field."""
    field = upsert_field(target, external_field)

    def save(block: Sequence[Row]) -> list[Draft]:
        drafts = _upsert_drafts(org, target, field, block, writer, update_only=update_only)
        write_drafts(org, target, drafts, writer)
        return drafts

    return _in_blocks(org, _cut(rows, lambda row: _given(row, field.name), _CHUNK), save, writer)


def upsert_field(target: SObject, name: str) -> Field:
    """Return the field by which records can be found, or refuse it."""
    field = target.field(name)
    if field is None or not (field.external_id or field.id_lookup or field.type == "id"):
        raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
    return field


def held_by(org: Org, target: SObject, field: Field, value: Any) -> list[str]:
    """Return the Ids of present records with this value of an external Id field."""
    key = _key(field, value)
    if field.type == "id":
        number = number_of(str(key))
        state = states(org, target, [number]).get(number) if number is not None else None
        return [state.id] if state is not None and state.id == key and not state.deleted else []
    return holders(org, target, field, [key]).get(key, []) if key is not None else []


def write_drafts(org: Org, target: SObject, drafts: Sequence[Draft], writer: Writer) -> None:
    """Check drafts, new and changed ones, and write the good ones."""
    with org.database.write():
        checks.check_states(org, target, [each for each in drafts if not each.created])
        checks.link_parents(org, target, drafts)
        checks.check_references(org, target, drafts)
        checks.check_unique(org, target, drafts)
        check_kinship(org, target, drafts)
        checks.check_validation(org, target, drafts)
        check_duplicates(org, target, drafts, writer)
        if writer.all_or_none and roll_back(drafts):
            return
        changes = changes_of(org)
        stamp = changes.stamp()
        change = Change(
            user_id=writer.user_id, late=writer.late, expressions=lambda stage: expressions(stage, stamp)
        )  # fmt: skip
        written = good(drafts)
        complete(org, target, written, writer.user_id, stamp)
        made = [each for each in written if each.created]
        for draft, record_id in zip(made, changes.insert(target, [each.values for each in made], change), strict=True):
            draft.id, draft.number = record_id, number_of(record_id)
        changed = [each for each in written if not each.created]
        numbers = [each.number for each in changed if each.number is not None]
        changes.update_each(target, numbers, [each.values for each in changed], change)
        touch_others(org, target, written, change)


def _upsert_drafts(
    org: Org, target: SObject, field: Field, rows: Sequence[Row], writer: Writer, *, update_only: bool
) -> list[Draft]:  # fmt: skip
    keys = [_given(row, field.name) for row in rows]
    wanted = [_key(field, each) for each in keys if each not in (None, "")]
    held = holders(org, target, field, wanted) if field.type != "id" else {}
    doubled = _doubled(field, keys)
    drafts = []
    for place, (row, key) in enumerate(zip(rows, keys, strict=True)):
        if field.type == "id":
            drafts.append(_by_id(target, row, key, writer, audit=org.rules.audit_fields))
            continue
        if key in (None, "") or place in doubled:
            drafts.append(_unkeyed(field, key))
            continue
        ids = held.get(_key(field, key), [])
        if len(ids) > 1:
            message = f"{field.name}: more than one record found for external id field: [{', '.join(ids)}]"
            drafts.append(Draft(refusals=(Refusal(300, "DUPLICATE_EXTERNAL_ID", message, [field.name]),)))
        elif ids:
            rest = {name: value for name, value in row.items() if name.lower() != field.name.lower()}
            drafts.append(changed_draft(target, {**rest, "Id": ids[0]}, writer))
        elif update_only:
            drafts.append(Draft(refusals=(not_found(),)))
        else:
            drafts.append(new_draft(target, row, writer, audit=org.rules.audit_fields))
    return drafts


def _by_id(target: SObject, row: Row, key: Any, writer: Writer, *, audit: bool) -> Draft:
    if key in (None, ""):
        return new_draft(target, row, writer, audit=audit)
    return changed_draft(target, row, writer)


def _unkeyed(field: Field, key: Any) -> Draft:
    if key in (None, ""):
        return Draft(refusals=(Refusal(400, "MISSING_ARGUMENT", f"{field.name} not specified", [field.name]),))
    message = f"Duplicate external id specified: {key}"
    return Draft(refusals=(Refusal(400, "DUPLICATE_VALUE", message, [field.name]),))


def _doubled(field: Field, keys: Sequence[Any]) -> set[int]:
    """Return the places of keys that stand twice in one chunk."""
    places: dict[tuple[int, Any], list[int]] = {}
    for place, key in enumerate(keys):
        if key not in (None, ""):
            places.setdefault((place // _CHUNK, _key(field, key)), []).append(place)
    return {each for alike in places.values() if len(alike) > 1 for each in alike}


def _key(field: Field, value: Any) -> Any:
    if field.type == "id":
        return canonical(str(value))
    if field.sql_type == "DOUBLE":
        try:
            return float(value)
        except (TypeError, ValueError):
            return None
    return key_of(field, str(value).strip())


def _given(row: Row, name: str) -> Any:
    found = row.get(name)
    if found is None:
        wanted = name.lower()
        found = next((value for each, value in row.items() if each.lower() == wanted), None)
    return found


def _cut(rows: Sequence[Row], key: Key | None, chunk: int = 1) -> Iterator[Sequence[Row]]:
    """Yield blocks in which no key stands in two chunks: what comes later must see what came before."""
    start = 0
    seen: dict[Any, int] = {}
    for place, row in enumerate(rows):
        own = key(row) if key is not None else None
        own = str(own) if isinstance(own, (dict, list)) else own  # no key, and refused as such later
        first = seen.get(own)
        twice = first is not None and (place - start) // chunk != (first - start) // chunk
        if twice or place - start >= _BLOCK:
            yield rows[start:place]
            start, seen = place, {}
        if own is not None:
            seen.setdefault(own, place)
    if start < len(rows):
        yield rows[start:]


def _in_blocks(
    org: Org, blocks: Iterator[Sequence[Row]], save: Callable[[Sequence[Row]], list[Draft]], writer: Writer
) -> list[SaveResult]:
    if not writer.all_or_none:
        return [draft.result() for block in blocks for draft in save(block)]
    drafts: list[Draft] = []

    def save_all() -> bool:
        drafts.extend(draft for block in blocks for draft in save(block))
        return not any(each.refusals for each in drafts)

    if not kept(org, save_all):
        roll_back(drafts)
    return [draft.result() for draft in drafts]

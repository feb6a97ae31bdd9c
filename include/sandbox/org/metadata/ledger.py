"""The changes made to this org's metadata: kept beside the records, done again on the shipped objects at a start."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from include.sandbox.org.credentials import USER_ID
from include.sandbox.org.ids import id_sql
from include.sandbox.org.metadata.definitions import write_definitions
from include.sandbox.org.metadata.edits import EDITS, Edit, find_object, restore_field, sample_rows_sql
from include.sandbox.org.metadata.fields import Body, refuse
from include.sandbox.org.metadata.restoring import restored
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.catalogue import Catalogue, Snapshot
from include.sandbox.org.schema.field import Field
from include.sandbox.org.store.database import Database
from include.sandbox.org.store.tables import table_sql

if TYPE_CHECKING:
    from include.sandbox.org.org import Org

_LOG = logging.getLogger(__name__)
_KEY = "metadata"
_UNKNOWN = "2026-01-01T00:00:00+00:00"  # when an org was made that doesn't tell


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Hold the objects after some changes, and the fields that were taken away on the way."""

    snapshot: Snapshot
    removed: Mapping[tuple[str, str], Field] = field(default_factory=dict)


def change_metadata(org: Org, orders: Sequence[Body]) -> list[str]:
    """Make changes, all or none: tables, ledger and catalogue; return the names of the objects that changed."""
    with org.catalogue.changing():
        events, changed = _read(org.database)
        state, statements = _replayed(org.catalogue.shipped, events), []
        touched: set[str] = set()
        for order in orders:
            state, edit = _restored(org, state, events) if _is_full_restore(order) else step(state, order)
            events = [] if _is_full_restore(order) else [*events, dict(order)]
            statements += [*edit.statements, *_samples(org, state, order)]
            touched |= {each.name for each in edit.objects}
        changed |= dict.fromkeys(touched, _later(org.clock.second(), max((org.schema_changed, *changed.values()))))
        after = replace(state.snapshot, changed=changed)
        with org.database.write() as cursor:
            for statement in statements:
                cursor.execute(statement)
            write_definitions(cursor, after, org.schema_changed)
            kept = {"events": events, "changed": {name: at.isoformat() for name, at in changed.items()}}
            cursor.execute("DELETE FROM sandbox_meta WHERE name = ?", [_KEY])
            cursor.execute("INSERT INTO sandbox_meta VALUES (?, ?)", [_KEY, orjson.dumps(kept).decode()])
        org.catalogue.swap(after)
    return sorted(touched)


def load(database: Database, catalogue: Catalogue) -> None:
    """Do the kept changes again on the shipped objects, and give every table the columns it should have."""
    events, changed = _read(database)
    catalogue.swap(replace(_replayed(catalogue.shipped, events).snapshot, changed=changed))
    _align(database, catalogue)
    with database.write() as cursor:
        write_definitions(cursor, catalogue.snapshot, datetime.fromisoformat(database.meta().get("created", _UNKNOWN)))


def changes_made(database: Database) -> list[dict[str, Any]]:
    """Return the orders that were carried out since the last full restore."""
    return _read(database)[0]


def step(state: State, order: Body) -> tuple[State, Edit]:
    """Return the state after one change, and what it does."""
    kind = str(order.get("change", ""))
    if kind == "restore":
        target = find_object(state.snapshot, order)
        before = state.removed.get((target.name, str(order.get("field", "")).lower()))
        if before is None:
            raise refuse(f"{target.name}.{order.get('field')} was not removed")
        edit = restore_field(state.snapshot, order, before=before, parents=before.parents)
    elif kind in EDITS:
        edit = EDITS[kind](state.snapshot, order)
    else:
        raise refuse(f"change must be one of {', '.join((*EDITS, 'restore'))}, not {kind!r}")
    removed = dict(state.removed)
    if kind == "remove_field":
        target = find_object(state.snapshot, order)
        gone = target.field(str(order["field"]))
        assert gone is not None
        removed[(target.name, gone.name.lower())] = gone
    return State(snapshot=state.snapshot.with_objects(edit.objects), removed=removed), edit


def _is_full_restore(order: Body) -> bool:
    return order.get("change") == "restore" and not order.get("field")


def _replayed(shipped: Snapshot, events: Sequence[Body]) -> State:
    state = State(snapshot=shipped)
    for event in events:
        try:
            state, _ = step(state, event)
        except Refusal as refusal:
            # Made by an earlier version of this program, whose objects were others.
            _LOG.warning("a kept change of metadata no longer fits and is left out: %s: %s", event, refusal)
    return state


def _restored(org: Org, state: State, events: Sequence[Body]) -> tuple[State, Edit]:
    shipped = org.catalogue.shipped
    edit = restored(shipped, state.snapshot, state.removed, events, _columns(org.database))
    return State(snapshot=shipped), edit


def _samples(org: Org, state: State, order: Body) -> list[str]:
    count = int(order.get("records") or 0)
    if order.get("change") != "add_object" or not count:
        return []
    target = state.snapshot.objects[str(order["name"])]
    stamp = org.clock.second().strftime("%Y-%m-%d %H:%M:%S")
    return [sample_rows_sql(target, count, stamp, USER_ID, id_sql(target.prefix, "_n"))]


def _later(now: datetime, last: datetime) -> datetime:
    """Return a time of change that no reader has seen yet: HTTP dates know only whole seconds."""
    return max(now, last.replace(microsecond=0) + timedelta(seconds=1))


def _read(database: Database) -> tuple[list[dict[str, Any]], dict[str, datetime]]:
    kept = orjson.loads(database.meta().get(_KEY, "{}"))
    changed = {name: datetime.fromisoformat(at).astimezone(UTC) for name, at in kept.get("changed", {}).items()}
    return kept.get("events", []), changed


def _columns(database: Database) -> dict[str, dict[str, str]]:
    """Return the columns of every table with their types."""
    found: dict[str, dict[str, str]] = {}
    rows = database.rows("SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal")
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    return found


def _align(database: Database, catalogue: Catalogue) -> None:
    """Add tables and columns that an older home lacks."""
    found = _columns(database)
    missing = [
        f'ALTER TABLE "{each.name}" ADD COLUMN "{column.name}" {column.sql_type}'
        + (" DEFAULT FALSE" if column.type == "boolean" else "")
        for each in catalogue.objects.values()
        if each.name in found
        for column in each.columns
        if column.name not in found[each.name]
    ]
    missing += [table_sql(each) for each in catalogue.objects.values() if each.name not in found]
    if missing:
        with database.write() as cursor:
            for statement in missing:
                cursor.execute(statement)

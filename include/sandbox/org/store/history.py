"""Field history: who changed which tracked field of a record from what to what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from include.sandbox.org.ids import id_sql, make_id
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.schema.history import TRACKED, history_field, history_name, history_type
from include.sandbox.org.store.stage import VIEW, Stage
from include.sandbox.org.store.tables import FOREVER

_FEW = 500

TakeNumbers = Callable[[Any, SObject, int], int]


class History:
    """Write history rows in the transaction of the change that they tell of."""

    def __init__(self, catalogue: Catalogue, take_numbers: TakeNumbers) -> None:
        self._catalogue = catalogue
        self._take_numbers = take_numbers

    def note_changes(self, cursor: Any, stage: Stage, *, user_id: str, stamp: datetime, visible: int) -> None:
        """Note what the staged values will change; the rows are still the old ones."""
        own = stage.target
        history = self._catalogue.find(history_name(own.name))
        names = [name for name in TRACKED.get(own.name, ()) if name in stage.names and own.field(name)]
        if history is None or not names:
            return
        pairs = []
        for name in names:
            field = own.by_name[name.lower()]
            kind = f"field: '{history_field(field)}', kind: '{history_type(field)}'"
            pairs.append(f"""{{{kind}, old: t."{name}"::VARCHAR, new: ({stage.after(name)})::VARCHAR}}""")
        each = f"""SELECT t."Id" AS parent, unnest([{", ".join(pairs)}]) AS c FROM "{own.name}" t, {VIEW} s"""
        changed = f"{each} WHERE t._until = {FOREVER} AND {stage.same_record}"
        rows = f"SELECT parent, c.field, c.kind, c.old, c.new FROM ({changed}) WHERE c.old IS DISTINCT FROM c.new"
        most = stage.count * len(names)
        self._insert(cursor, history, rows, most, user_id=user_id, stamp=stamp, visible=visible)

    def note_created(self, cursor: Any, stage: Stage, *, user_id: str, stamp: datetime, visible: int) -> None:
        """Note that the staged records came into being."""
        history = self._catalogue.find(history_name(stage.target.name))
        if history is not None and stage.target.name in TRACKED:
            event = "'created' AS field, 'Text' AS kind, NULL AS old, NULL AS new"
            rows = f'SELECT s."Id" AS parent, {event} FROM {VIEW} s'
            self._insert(cursor, history, rows, stage.count, user_id=user_id, stamp=stamp, visible=visible)

    def note_event(
        self, cursor: Any, target: SObject, ids: list[str], event: str, *, user_id: str, stamp: datetime
    ) -> None:
        """Note that something happened to records as a whole: a merge, a conversion."""
        history = self._catalogue.find(history_name(target.name))
        if history is not None and ids:
            listed = ", ".join(f"'{each}'" for each in ids)
            rows = f"SELECT unnest([{listed}]) AS parent, '{event}' AS field, 'Text' AS kind, NULL AS old, NULL AS new"
            self._insert(cursor, history, rows, len(ids), user_id=user_id, stamp=stamp, visible=0)

    def _insert(
        self, cursor: Any, history: SObject, rows: str, most: int, *, user_id: str, stamp: datetime, visible: int
    ) -> None:
        """Insert at most so many rows; numbers that they leave over stay unused, as they do in real orgs."""
        parent = history.fields[2].name
        first = self._take_numbers(cursor, history, most)
        number = f"({first} + p - 1)"
        ids, values = id_sql(history.prefix, number), []
        if most <= _FEW:  # planning the arithmetic of Ids takes longer than doing it here
            ids, values = "list_extract($1::VARCHAR[], p)", [[make_id(history.prefix, first + n) for n in range(most)]]
        cursor.execute(
            f'INSERT INTO "{history.name}" (_n, _from, _until, _defects, "Id", "IsDeleted", "{parent}",'
            ' "CreatedById", "CreatedDate", "Field", "DataType", "OldValue", "NewValue")'
            f" SELECT {number}, {visible}, {FOREVER}, 0, {ids}, FALSE, parent,"
            f" '{user_id}', TIMESTAMP '{stamp.isoformat(' ')}', field, kind, old, new"
            f" FROM (SELECT *, row_number() OVER () AS p FROM ({rows}))",
            values,
        )

"""Query cursors: the numbers of a result's records in order, behind a locator that can be used again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from include.sandbox.org.clock import Clock
from include.sandbox.org.ids import make_id
from include.sandbox.org.soql.plan import Children, Plan

_LIFE = 2 * 86_400.0
_KEPT_BLOCKS = 3  # tens of megabytes each
_KEPT_KEYS = 20_000_000  # eight bytes each


@dataclass(slots=True, kw_only=True)
class QueryCursor:
    """Hold one result; `block` keeps the records rendered last, from the offset `block_at` on."""

    id: str
    plan: Plan
    keys: Any
    created: float
    block_at: int = 0
    block: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Cursors:
    """Keep cursors for two days, or until too many newer ones came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._cursors: OrderedDict[str, QueryCursor] = OrderedDict()
        self._number = int(clock.epoch()) % 1_000_000 * 100
        self._with_block: list[QueryCursor] = []
        self._lock = threading.Lock()

    def open(self, plan: Plan, keys: Any) -> QueryCursor:
        """Remember a result."""
        with self._lock:
            self._number += 1
            cursor = QueryCursor(id=make_id("01g", self._number), plan=plan, keys=keys, created=self._clock.epoch())
            self._cursors[cursor.id] = cursor
            while sum(len(each.keys) for each in self._cursors.values()) > _KEPT_KEYS and len(self._cursors) > 1:
                self._cursors.popitem(last=False)
        return cursor

    def keep_block(self, cursor: QueryCursor, start: int, block: list[bytes]) -> None:
        """Keep a block of rendered records with its cursor; only the cursors read last have one."""
        cursor.block, cursor.block_at = block, start
        with self._lock:
            self._with_block = [cursor, *(each for each in self._with_block if each is not cursor)]
            for old in self._with_block[_KEPT_BLOCKS:]:
                old.block = []
            del self._with_block[_KEPT_BLOCKS:]

    def find(self, locator: str) -> tuple[QueryCursor, int] | None:
        """Return the cursor and the offset of a locator, or None if it is unknown, out of range or too old."""
        cursor_id, _, offset = locator.partition("-")
        cursor = self._cursors.get(cursor_id)
        if cursor is None or not offset.isdigit() or int(offset) >= len(cursor.keys):
            return None
        if self._clock.epoch() - cursor.created > _LIFE:
            return None
        return cursor, int(offset)

    def forget(self, object_name: str) -> None:
        """Drop every cursor whose records hold values of an object that has changed its types."""
        with self._lock:
            for cursor_id, cursor in list(self._cursors.items()):
                if _shows(cursor.plan, object_name):
                    del self._cursors[cursor_id]


def _shows(plan: Plan, object_name: str) -> bool:
    """Say whether a query's records hold values of an object."""
    columns = (getattr(cell, "column", None) for cell in plan.cells)
    children = (cell.plan for cell in plan.cells if isinstance(cell, Children))
    return (
        plan.object.name == object_name
        or any(each is not None and each.object.name == object_name for each in columns)
        or any(_shows(each, object_name) for each in children)
    )

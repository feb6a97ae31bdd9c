"""Query cursors: the numbers of a result's records in order, behind a locator that can be used again and again.

A cursor is two small files: how to plan its query again, and its numbers. So locators outlive a restart, and a change
of the schema between two pages is met by planning anew.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from include.sandbox.org.clock import Clock
from include.sandbox.org.ids import canonical, make_id, number_of
from include.sandbox.org.kept import read_kept, write_kept
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.soql.cells import Children
from include.sandbox.org.soql.plan import Plan, plan_query
from include.sandbox.org.soql.reader import Reader

LIFE = 2 * 86_400.0
_PREFIX = "0r8"
_KEPT_BLOCKS = 3  # tens of megabytes each
_KEPT_OPEN = 1_000
_SWEEP_EVERY = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Hold what makes a plan: the query and its reader; for a page of children, the way to them and their parent."""

    query: str
    deleted: bool
    reader: Reader
    way: tuple[str, ...] = ()
    parent: str = ""

    def plan(self, catalogue: Catalogue) -> Plan:
        """Return the plan as of the objects that there are now, or refuse it."""
        plan = plan_query(self.query, catalogue, deleted=self.deleted, reader=self.reader)
        link = ""
        for name in self.way:
            children = next(each for each in plan.cells if isinstance(each, Children) and each.name == name)
            plan, link = children.plan, children.link
        return replace(plan, where=f"{plan.where} AND {link} = '{self.parent}'") if link else plan


@dataclass(slots=True, kw_only=True)
class QueryCursor:
    """Hold one result; `block` keeps the records rendered last, from the offset `block_at` on."""

    id: str
    recipe: Recipe
    plan: Plan
    keys: Any
    created: float
    generation: int = 0
    block_at: int = 0
    block: list[bytes] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Cursors:
    """Keep cursors for two days."""

    def __init__(self, clock: Clock, catalogue: Catalogue, home: Path) -> None:
        self._clock = clock
        self._catalogue = catalogue
        self._home = home
        self._cursors: OrderedDict[str, QueryCursor] = OrderedDict()
        self._with_block: list[QueryCursor] = []
        self._lock = threading.Lock()
        self._swept = 0.0
        home.mkdir(parents=True, exist_ok=True)
        self._number = max((number_of(each.stem) or 0 for each in home.glob("*.json")), default=0)
        self._sweep()

    def open(self, recipe: Recipe, plan: Plan, keys: Any) -> QueryCursor:
        """Remember a result."""
        with self._lock:
            self._number += 1
            cursor_id = make_id(_PREFIX, self._number)
        cursor = QueryCursor(
            id=cursor_id, recipe=recipe, plan=plan, keys=keys, created=self._clock.epoch(),
            generation=self._catalogue.generation,
        )  # fmt: skip
        np.save(self._path(cursor_id, "npy"), keys)
        cursor.keys = np.load(self._path(cursor_id, "npy"), mmap_mode="r")
        write_kept(self._path(cursor_id, "json"), asdict(recipe) | {"created": cursor.created})
        self._keep(cursor)
        self._sweep()
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
        given, _, offset = locator.partition("-")
        cursor_id = canonical(given)
        if cursor_id is None or not offset.isascii() or not offset.isdigit():
            return None
        cursor = self._cursors.get(cursor_id) or self._load(cursor_id)
        if cursor is None or int(offset) >= len(cursor.keys) or self._clock.epoch() - cursor.created > LIFE:
            return None
        if cursor.generation != self._catalogue.generation:
            generation = self._catalogue.generation
            cursor.plan, cursor.block = cursor.recipe.plan(self._catalogue), []
            cursor.generation = generation
        return cursor, int(offset)

    # -- behind the scenes

    def _keep(self, cursor: QueryCursor) -> None:
        with self._lock:
            self._cursors[cursor.id] = cursor
            while len(self._cursors) > _KEPT_OPEN:
                self._cursors.popitem(last=False)

    def _load(self, cursor_id: str) -> QueryCursor | None:
        path = self._path(cursor_id, "json")
        kept = read_kept(path)
        if kept is None:
            return None
        created = kept.pop("created")
        recipe = Recipe(**{**kept, "reader": Reader(**kept["reader"]), "way": tuple(kept["way"])})
        generation = self._catalogue.generation
        cursor = QueryCursor(
            id=cursor_id, recipe=recipe, plan=recipe.plan(self._catalogue), created=created, generation=generation,
            keys=np.load(self._path(cursor_id, "npy"), mmap_mode="r"),
        )  # fmt: skip
        self._keep(cursor)
        return cursor

    def _sweep(self) -> None:
        """Remove what is too old to be asked for."""
        now = self._clock.epoch()
        if abs(now - self._swept) < _SWEEP_EVERY:
            return
        self._swept = now
        for path in self._home.glob("*.json"):
            if now - (read_kept(path) or {"created": 0})["created"] > LIFE:
                self._cursors.pop(path.stem, None)
                path.unlink(missing_ok=True)
                path.with_suffix(".npy").unlink(missing_ok=True)

    def _path(self, cursor_id: str, kind: str) -> Path:
        return self._home / f"{cursor_id}.{kind}"

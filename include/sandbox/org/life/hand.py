"""The hand of one change: its dice, who makes it, and the records it finds."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from include.sandbox.org.life.settings import Outcome, Settings
from include.sandbox.org.org import Org
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.store.tables import FOREVER
from include.sandbox.org.writing import Writer, insert_records, update_records

_NEAR = 4_096  # records that are looked at before the whole table is

Row = Mapping[str, Any]


class Result(Protocol):
    """Stand for what became of one record, whatever was done to it."""

    @property
    def success(self) -> bool:
        """Say whether it was done."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Make one change; everything that is drawn comes from its own dice."""

    org: Org
    dice: random.Random
    writer: Writer

    def target(self, name: str) -> SObject:
        """Return an object of the org."""
        return self.org.catalogue.objects[name]

    def draw(
        self, name: str, where: str = "TRUE", *, count: int = 1, fields: str = '"Id"', deleted: bool = False
    ) -> list[tuple[Any, ...]]:
        """Return records that nobody has locked, the first ones behind a drawn place that are as wanted."""
        highest = self.org.database.rows(f'SELECT max(_n) FROM "{name}"')[0][0] or 0
        start = self.dice.randrange(highest) + 1 if highest else 1
        alive = "TRUE" if self.target(name).field("IsDeleted") is None else f'"IsDeleted" = {deleted}'
        wanted = f"_from <= $1 AND _until = {FOREVER} AND {alive} AND ({where})"
        now = self.org.clock.milliseconds()
        select = f'SELECT {fields} FROM "{name}" t WHERE {wanted}'
        near = self.org.database.rows(
            f"{select} AND _n >= $2 AND _n < $2 + {_NEAR} ORDER BY _n LIMIT $3", [now, start, count]
        )
        if len(near) == count:
            return near
        return self.org.database.rows(f"{select} ORDER BY _n < $2, _n LIMIT $3", [now, start, count])

    def one(self, name: str, where: str = "TRUE", *, fields: str = '"Id"') -> tuple[Any, ...] | None:
        """Return one record as wanted, or None."""
        found = self.draw(name, where, fields=fields)
        return found[0] if found else None

    def next_number(self, name: str) -> int:
        """Return a number that no record of the object has yet."""
        return int(self.org.database.rows(f'SELECT max(_n) FROM "{name}"')[0][0] or 0) + 1

    def day(self, ahead: int = 0) -> str:
        """Return a day counted from the org's today."""
        return (self.org.clock.now().date() + timedelta(days=ahead)).isoformat()

    def insert(self, kind: str, name: str, *rows: Row) -> Outcome:
        """Create records."""
        return outcome(kind, insert_records(self.org, self.target(name), rows, self.writer))

    def update(self, kind: str, name: str, rows: Sequence[Row]) -> Outcome:
        """Change records."""
        return outcome(kind, update_records(self.org, self.target(name), rows, self.writer))


def outcome(kind: str, results: Iterable[Result]) -> Outcome:
    """Return what came of a change, from what became of its records."""
    done = [each.success for each in results]
    return Outcome(kind=kind, written=sum(done), refused=len(done) - sum(done))


def hand_for(org: Org, settings: Settings, number: int) -> Hand:
    """Return the hand of the n-th change; the same seed makes the same hand on the same org."""
    dice = random.Random(f"{settings.seed}/{number}")
    late = dice.random() < settings.late_share
    idle = Hand(org=org, dice=dice, writer=Writer(user_id=""))
    somebody = idle.one("User", '"IsActive"')
    return Hand(
        org=org,
        dice=dice,
        writer=Writer(
            user_id=somebody[0] if somebody else "",
            late=round(dice.uniform(0.2, 1) * settings.late_seconds, 3) if late else 0.0,
            allow_duplicates=True,
        ),
    )

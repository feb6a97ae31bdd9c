"""Chance as SQL: the same seed, subject and salt give the same draw, whatever else is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Dice:
    """Make SQL expressions that draw from a seed; `subject` is the SQL of the number that the draw is about."""

    seed: int
    kind: int  # keeps the draws of objects apart

    def roll(self, salt: int, sides: int, subject: str = "n") -> str:
        """Return a draw from 0 to sides - 1."""
        offset = (self.seed * 1_000_003 + self.kind * 8191 + salt) % 2_147_483_647
        return f"(hash(({subject})::BIGINT * 4099 + {offset * 131}) % {sides})::INTEGER"

    def pick(self, values: Sequence[str | None], salt: int, subject: str = "n") -> str:
        """Return one of these texts."""
        return chosen(values, self.roll(salt, len(values), subject))

    def chance(self, salt: int, percent: float, subject: str = "n") -> str:
        """Return a condition that holds for this share of subjects."""
        return f"({self.roll(salt, 10_000, subject)} < {int(percent * 100)})"


def chosen(values: Sequence[str | None], place: str) -> str:
    """Return the text at a place that counts from 0."""
    return f"[{', '.join(literal(each) for each in values)}][{place} + 1]"


def literal(value: str | None) -> str:
    """Return a text as an SQL literal."""
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"

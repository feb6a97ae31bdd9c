"""What a bench finds: figures with their limits, and how they are shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Say what the ratio of a figure has to be: at least or at most a number."""

    at_least: float | None = None
    at_most: float | None = None

    def met(self, ratio: float) -> bool:
        """Return whether the ratio is as it has to be."""
        return (self.at_least is None or ratio >= self.at_least) and (self.at_most is None or ratio <= self.at_most)

    def __str__(self) -> str:
        return f">= {self.at_least:g}" if self.at_least is not None else f"<= {self.at_most:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Hold one figure. `limit` is what it is measured against, in the same unit, and `ratio` the one by the other."""

    name: str  # area.what
    value: float | None  # None: it could not be measured, and `note` says why
    unit: str
    limit: float | None = None
    ratio: float | None = None
    goal: Goal | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Return yes or NO where there is a goal, and "skipped" where nothing was measured."""
        if self.value is None:
            return "skipped"
        if self.goal is None or self.ratio is None:
            return ""
        return "yes" if self.goal.met(self.ratio) else "NO"


def against(name: str, value: float, unit: str, limit: float, goal: Goal | None = None, *, note: str = "") -> Figure:
    """Return a figure whose ratio is its value by its limit."""
    return Figure(name=name, value=value, unit=unit, limit=limit, ratio=value / limit, goal=goal, note=note)


def skipped(name: str, why: str) -> Figure:
    """Return a figure that could not be measured."""
    return Figure(name=name, value=None, unit="", note=why)


def as_line(figure: Figure) -> str:
    """Return a figure as one line of JSON."""
    shown: dict[str, Any] = {
        "name": figure.name,
        "value": _rounded(figure.value),
        "unit": figure.unit,
        "limit": _rounded(figure.limit),
        "ratio": _rounded(figure.ratio),
        "goal": str(figure.goal) if figure.goal else None,
        "met": {"yes": True, "NO": False}.get(figure.verdict),
        "note": figure.note,
    }
    return json.dumps(shown)


def as_table(figures: Sequence[Figure]) -> str:
    """Return figures as a table in Markdown, which reads as well in a terminal."""
    head = ("figure", "value", "unit", "limit", "ratio", "goal", "met", "note")
    rows = [head, *(_cells(each) for each in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head) - 1)] + [0]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def _cells(figure: Figure) -> tuple[str, ...]:
    goal = str(figure.goal) if figure.goal else ""
    numbers = (_shown(figure.value), figure.unit, _shown(figure.limit), _shown(figure.ratio))
    return (figure.name, *numbers, goal, figure.verdict, figure.note)


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"

"""Decide what a chart shows, and where its lines stand in the SVG that is there before any script runs.

A page carries the figures as JSON; `static/charts.js` draws them with uPlot. Without scripts the SVG stays, and the
table below it says the same. Decides only: values in, values out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from include.warehouse.health.assessments import AssessmentRow

WIDTH, HEIGHT = 640, 170
LEFT, RIGHT, TOP, BOTTOM = 66, 12, 12, 26
MOST_SERIES = 8  # so many can be told apart by colour and dash

Unit = Literal["share", "records", "rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Hold one line of a chart: a value for each time, None where there is none."""

    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Place one horizontal line and the value that it stands for."""

    y: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """Place one value of the first series."""

    x: float
    y: float
    at: int  # which of the times


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Hold lines over time, the oldest time first.

    `links` leads from each time to a page, or is empty; `marked` is the time that the page is about.
    """

    name: str
    unit: Unit
    times: tuple[datetime, ...]
    series: tuple[Series, ...]
    links: tuple[str, ...] = ()
    marked: int | None = None

    @property
    def figures(self) -> Mapping[str, Any]:
        """Return what the script draws, as JSON values."""
        return {
            "name": self.name,
            "unit": self.unit,
            "times": [int(each.timestamp()) for each in self.times],
            "series": [{"label": each.label, "values": list(each.values)} for each in self.series],
            "links": list(self.links),
            "marked": self.marked,
            "bounds": list(self.bounds),
        }

    @property
    def bounds(self) -> tuple[float, float]:
        """Return the least and the greatest value of the scale.

        A share ends at 100 % and begins at the full ten below the lowest, so that a change of one point can be seen;
        counts begin at zero.
        """
        values = [value for each in self.series for value in each.values if value is not None]
        if self.unit == "share":
            return min(math.floor(min(values, default=0.9) * 10) / 10, 0.9), 1.0
        return 0.0, _round_above(max(values, default=0.0))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Return the horizontal lines."""
        low, high = self.bounds
        return tuple(Rule(y=self._y(value), value=value) for value in (low, (low + high) / 2, high))

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the points of a polyline for each series."""
        return tuple(
            " ".join(f"{self._x(at)},{self._y(value)}" for at, value in enumerate(each.values) if value is not None)
            for each in self.series
        )

    @property
    def dots(self) -> tuple[Dot, ...]:
        """Return where the values of the first series stand."""
        values = self.series[0].values if self.series else ()
        return tuple(
            Dot(x=self._x(at), y=self._y(value), at=at) for at, value in enumerate(values) if value is not None
        )

    def _x(self, at: int) -> float:
        first, last = self.times[0], self.times[-1]
        if first == last:
            return (LEFT + WIDTH - RIGHT) / 2
        share = (self.times[at] - first) / (last - first)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * share, 1)

    def _y(self, value: float) -> float:
        low, high = self.bounds
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low)), 1)


def grade_chart(
    assessments: Sequence[AssessmentRow],
    grades: Mapping[str, Mapping[int, float | None]],
    *,
    shown: int | None = None,
    link: str = "",
) -> Chart:
    """Return the chart of the grade: overall, weighted, and of each object.

    Args:
        assessments: newest first, as the ledger gives them; those without a grade have no place.
        grades: by object, its grade at each assessment.
        shown: the assessment that the page is about.
        link: an address to which the number of an assessment is added.
    """
    graded = [each for each in reversed(assessments) if each.grade is not None]
    numbers = [each.assessment_id for each in graded]
    series = [Series(label="All objects", values=tuple(each.grade for each in graded))]
    if any(each.weighted is not None for each in graded):
        series.append(Series(label="Weighted by severity", values=tuple(each.weighted for each in graded)))
    if len(grades) > 1:
        series += [
            Series(label=object, values=tuple(of.get(number) for number in numbers)) for object, of in grades.items()
        ]
    return Chart(
        name="Grade over assessments",
        unit="share",
        times=tuple(each.assessed_at for each in graded),
        series=tuple(series[:MOST_SERIES]),
        links=tuple(f"{link}{number}" for number in numbers) if link else (),
        marked=numbers.index(shown) if shown in numbers else None,
    )


def count_chart(
    name: str,
    unit: Unit,
    times: Sequence[datetime],
    series: Mapping[str, Sequence[float | None]],
    *,
    links: Sequence[str] = (),
    marked: int | None = None,
) -> Chart:
    """Return a chart of counts, oldest first."""
    lines = tuple(Series(label=label, values=tuple(values)) for label, values in series.items())
    return Chart(name=name, unit=unit, times=tuple(times), series=lines, links=tuple(links), marked=marked)


def _round_above(value: float) -> float:
    """Return a round number that is not below a count: the top of the scale."""
    if value <= 4:
        return 4.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 4, 5, 8, 10) if step * power >= value)

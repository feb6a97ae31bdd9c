"""Draw the grade over assessments: where points and rules stand; the template writes them as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from include.warehouse.assessments import AssessmentRow

WIDTH, HEIGHT = 640, 170
LEFT, RIGHT, TOP, BOTTOM = 66, 12, 12, 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """Place one assessment in the chart."""

    x: float
    y: float
    assessment: AssessmentRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Place one horizontal line and the share that it stands for."""

    y: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GradeChart:
    """Hold the chart in the units of its view box."""

    dots: tuple[Dot, ...]
    rules: tuple[Rule, ...]

    @property
    def line(self) -> str:
        """Return the points of the polyline."""
        return " ".join(f"{dot.x},{dot.y}" for dot in self.dots)


def draw_grades(assessments: Sequence[AssessmentRow]) -> GradeChart:
    """Return the chart of assessments (newest first, as the ledger gives them), the oldest on the left.

    Assessments stand at equal distances: they are runs, not days. The scale ends at 100 % and begins at the full ten
    below the lowest grade, so that a change of one point can be seen; the axis says so.
    """
    graded = [each for each in reversed(assessments) if each.grade is not None]
    lowest = min((each.grade or 0.0 for each in graded), default=0.0)
    floor = min(math.floor(lowest * 10) / 10, 0.9)
    step = (WIDTH - LEFT - RIGHT) / max(len(graded) - 1, 1)
    start = LEFT if len(graded) > 1 else (LEFT + WIDTH - RIGHT) / 2
    dots = tuple(
        Dot(x=round(start + step * place, 1), y=_height(each.grade or 0.0, floor), assessment=each)
        for place, each in enumerate(graded)
    )
    shares = (floor, (floor + 1) / 2, 1.0)
    return GradeChart(dots=dots, rules=tuple(Rule(y=_height(share, floor), share=share) for share in shares))


def _height(share: float, floor: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - (share - floor) / (1 - floor)), 1)

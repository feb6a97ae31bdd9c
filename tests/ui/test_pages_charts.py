"""Charts: what they show, where their lines stand without scripts, and what is sent to the script that draws them."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from headwater.ui.charts import BOTTOM, HEIGHT, TOP, count_chart, grade_chart
from headwater.ui.rendering import CHARTS
from include.warehouse.health.assessments import AssessmentRow

STATIC = Path(__file__).parents[2] / "plugins/headwater/ui/static"


def assessment(number: int, grade: float | None) -> AssessmentRow:
    return AssessmentRow(
        assessment_id=number, org="demo", assessed_at=datetime(2026, 3, number, tzinfo=UTC), previous_id=None,
        records=10, records_with_issue=1, grade=grade, seconds=1.0,
    )  # fmt: skip


def test_the_chart_runs_from_the_oldest_to_the_newest_inside_its_frame():
    """The ledger gives the newest first; assessments without a grade have no point."""
    chart = grade_chart([assessment(3, 0.9), assessment(2, None), assessment(1, 0.72)], {}, shown=3, link="?a=")
    assert [each.day for each in chart.times] == [1, 3]
    assert chart.links == ("?a=1", "?a=3")
    assert chart.marked == 1
    assert chart.dots[0].x < chart.dots[1].x
    assert all(TOP <= dot.y <= HEIGHT - BOTTOM for dot in chart.dots)
    assert [rule.value for rule in chart.rules] == [0.7, 0.85, 1.0]


def test_each_object_has_a_line_and_a_gap_where_it_was_not_assessed():
    """One object alone is the whole: it gets no second line of the same values."""
    assessments = [assessment(2, 0.9), assessment(1, 0.8)]
    chart = grade_chart(assessments, {"Contact": {1: 0.8, 2: 0.9}, "Lead": {2: 0.7}})
    assert [(each.label, each.values) for each in chart.series] == [
        ("All objects", (0.8, 0.9)), ("Contact", (0.8, 0.9)), ("Lead", (None, 0.7)),
    ]  # fmt: skip
    assert len(grade_chart(assessments, {"Contact": {1: 0.8}}).series) == 1


@pytest.mark.parametrize("grades", [[], [1.0], [0.0, 1.0], [None]])
def test_a_chart_of_little_is_a_chart(grades):
    """No assessment, one, the extremes."""
    chart = grade_chart([assessment(number + 1, grade) for number, grade in enumerate(grades)], {})
    assert len(chart.dots) == len([grade for grade in grades if grade is not None])
    assert chart.lines is not None


@pytest.mark.parametrize(("most", "top"), [(0, 4), (4, 4), (37, 40), (1_000, 1_000), (1_001, 2_000), (6_100, 8_000)])
def test_counts_begin_at_zero_and_end_at_a_round_number(most, top):
    """The labels of the axis can be read."""
    times = [datetime(2026, 3, 1, tzinfo=UTC)]
    assert count_chart("Rows", "rows", times, {"read": [most]}).bounds == (0, top)


@pytest.mark.parametrize("name", CHARTS)
def test_the_library_is_the_one_that_its_notice_names(name):
    """A file changed by hand, or another version under the same name, does not pass."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()
    notice = (STATIC / "NOTICE.md").read_text(encoding="utf-8")
    line = next(line for line in notice.splitlines() if line.startswith(f"| `{name}`"))
    assert digest in line


def test_the_figures_of_a_chart_stand_in_the_page_as_json(pages, run):
    """No inline script runs under our policy: what the page carries is data, whatever a name holds."""
    run("a_working_org.sql")
    answer = pages.get("/headwater/health?org=demo")
    (block,) = re.findall(r'<script type="application/json">(.*?)</script>', answer.text, re.S)
    figures = json.loads(block)
    assert figures["series"][0] == {"label": "All objects", "values": [0.8, 0.85]}
    assert figures["links"][1].endswith("assessment=2")
    assert "<script>" not in answer.text
    assert answer.headers["content-security-policy"].count("'self'")
    assert "unsafe" not in str(answer.headers)


def test_a_chart_can_be_read_without_scripts(pages, run):
    """An SVG with names, and the same figures as a table."""
    run("a_working_org.sql")
    text = pages.get("/headwater/health/issue/email_missing?org=demo").text
    assert 'aria-label="Failing records over assessments: 2 times, from 55 to 60"' in text
    table = text.split("Figures as a table")[1].split("</table>")[0]
    assert re.findall(r'<td class="count">(\d+)</td>', table) == ["60", "55"]


def test_only_pages_with_charts_load_the_library(pages, run):
    """Fifty kilobytes that a list of runs doesn't need."""
    run("a_working_org.sql")
    assert "uplot" in pages.get("/headwater/health?org=demo").text
    assert "uplot" not in pages.get("/headwater/schema?org=demo").text

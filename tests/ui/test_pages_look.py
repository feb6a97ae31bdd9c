"""What can be judged about the look without eyes: contrast, formats, and where the chart's points stand."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from headwater.ui import formats

CSS = (Path(__file__).parents[2] / "plugins/headwater/ui/static/pages.css").read_text(encoding="utf-8")
PAIRS = [
    ("text", "page"), ("text", "raised"), ("text", "neutral-tint"), ("muted", "page"), ("muted", "raised"),
    ("link", "page"), ("link", "raised"), ("link", "accent-tint"), ("better", "page"), ("better", "raised"),
    ("better", "better-tint"), ("worse", "page"), ("worse", "raised"), ("worse", "worse-tint"), ("warn", "page"),
    ("warn", "warn-tint"), ("warn", "neutral-tint"),
]  # fmt: skip


def colours(theme: str) -> dict[str, str]:
    block = CSS.split(":root {")[1] if theme == "light" else CSS.split(':root[data-theme="dark"] {')[1]
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block.split("}")[0]))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(theme: str, one: str, other: str) -> float:
    lighter, darker = sorted((luminance(colours(theme)[one]), luminance(colours(theme)[other])), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


# Grounds without text on them: the bar that runs while a page is fetched.
FILLS = {("text", "accent")}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read(theme, text, ground):
    """WCAG AA asks for 4.5 to 1."""
    lighter, darker = sorted((luminance(colours(theme)[text]), luminance(colours(theme)[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


SERIES = [f"series-{number}" for number in range(1, 9)]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("line", SERIES)
def test_each_line_of_a_chart_can_be_seen(theme, line):
    """WCAG AA asks for 3 to 1 for what is no text; charts stand on cards and on the page."""
    assert min(contrast(theme, line, ground) for ground in ("raised", "page")) >= 3


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_pair_of_colours_that_the_styles_make_can_be_read(theme):
    """A rule that sets a colour and its ground names them both: whatever is added later is held to 4.5 to 1, too."""
    pairs = set()
    for rule in re.findall(r"{([^{}]*)}", CSS):
        text = re.search(r"(?<![-\w])color: var\(--([\w-]+)\)", rule)
        ground = re.search(r"background: var\(--([\w-]+)\)", rule)
        if ground:
            pairs.add((text[1] if text else "text", ground[1]))
    assert {("worse", "worse-tint"), ("better", "better-tint"), ("muted", "raised"), ("text", "page")} <= pairs
    poor = {pair: round(contrast(theme, *pair), 2) for pair in pairs - FILLS if contrast(theme, *pair) < 4.5}
    assert not poor


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_controls_stand_out_from_their_ground(theme):
    """The border of a field or button, 3 to 1."""
    border = re.search(
        r"\[data-theme=\"dark\"\] :is\(input[^{]*{ border-color: (#\w{6})"
        if theme == "dark"
        else r"border: 1px solid (#\w{6}); border-radius: 5px;\n",
        CSS,
    )[1]
    for ground in ("page", "raised"):
        lighter, darker = sorted((luminance(border), luminance(colours(theme)[ground])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 3


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_focus_ring_can_be_seen(theme):
    """WCAG AA asks for 3 to 1 for what is no text."""
    lighter, darker = sorted((luminance(colours(theme)["accent"]), luminance(colours(theme)["page"])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def test_both_dark_themes_are_the_same():
    """The one that follows Airflow, and the one for a browser that runs no scripts."""
    chosen = CSS.split(':root[data-theme="dark"] {')[1].split("}")[0]
    preferred = CSS.split(":root:not([data-theme]) {")[1].split("}")[0]
    assert re.findall(r"--.*;", chosen) == re.findall(r"--.*;", preferred)


@pytest.mark.parametrize(
    ("share", "written"),
    [
        (None, "–"), (0.0, "0.0 %"), (0.0004, "< 0.1 %"), (0.042, "4.2 %"), (0.99999, "> 99.9 %"),
        (1.0, "100.0 %"), (0.99949, "> 99.9 %"),
    ],
)  # fmt: skip
def test_shares_never_round_something_to_nothing(share, written):
    """One failing record of a million is not 0 %."""
    assert formats.percent(share).replace("\u202f", " ") == written


def test_times_are_written_in_utc_and_say_so():
    """Whatever zone they come in."""
    berlin = datetime.fromisoformat("2026-03-01T11:00:00+01:00")
    assert 'datetime="2026-03-01T10:00:00Z"' in formats.moment(berlin)
    assert re.sub(r"<[^>]+>", "", formats.moment(berlin)) == "2026-03-01 10:00:00\u202fUTC"


@pytest.mark.parametrize(
    ("seconds", "written"), [(0.04, "0.0 s"), (59.9, "59.9 s"), (62, "1 min 2 s"), (3_720, "1 h 2 min")]
)
def test_durations_have_units(seconds, written):
    """The two largest say enough."""
    assert formats.span(timedelta(seconds=seconds)).replace("\u202f", " ") == written

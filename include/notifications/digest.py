"""Write the mail that sums up a week, as text and as HTML: counts and names of checks, nothing of a person; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from include.notifications.health import page_of
from include.records import Message
from include.warehouse.health.assessments import IssueResult
from include.warehouse.health.changes import Change
from include.warehouse.health.digests import Digest, Freshness, Lift, Trend, WeekChange

if TYPE_CHECKING:
    from jinja2 import Environment

_STALE = timedelta(days=1)
_ITEMS = 10  # a group; the page has them all
_GROUPS = (
    (Change.NEW, "New issues", "worse"),
    (Change.WORSE, "Worse", "worse"),
    (Change.NOT_ASSESSED, "Not assessed any more", "warn"),
    (Change.BETTER, "Better", "better"),
    (Change.MENDED, "Mended", "better"),
    (Change.ASSESSED_AGAIN, "Assessed again", "muted"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """Write times in one zone and links below one address."""

    zone: tzinfo
    airflow_url: str

    def time(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%a %d %b %Y, %H:%M}"

    def link(self, path: str) -> str:
        return f"{self.airflow_url.rstrip('/')}{path}" if self.airflow_url else ""


def compose_digest(digest: Digest, *, zone: tzinfo, airflow_url: str) -> Message:
    """Return the mail; times are told in `zone`, `airflow_url` is where people reach Airflow, "" when not known."""
    words = _Words(zone=zone, airflow_url=airflow_url)
    row = digest.facts.now.row
    trends = [_trend(each) for each in digest.trends]
    moved = _moved(digest.trends[0])
    groups = list(_groups(digest, words))
    shown: dict[str, Any] = {
        "org": digest.org,
        "subject": _subject(digest),
        "period": f"{words.time(digest.low)} to {words.time(digest.high)} ({zone})",
        "grade": _percent(row.grade),
        "moved": moved,
        "records": f"{row.records - row.records_with_issue:,} of {row.records:,} records have no issue.",
        "columns": _columns(digest),
        "trends": trends,
        "groups": groups,
        "quiet": _quiet(digest),
        "lifts": [_lift(digest.org, each, words) for each in digest.lifts],
        "facts": list(_facts(digest, words)),
        "links": list(_links(digest.org, words)),
        "foot": f"Headwater, org {digest.org}. Who gets this is set by health.digest in its definition.",
        "table": _table(_columns(digest), trends),
    }
    plain = _templates().get_template("digest.txt").render(shown)
    return Message(
        subject=shown["subject"],
        text=plain,
        html=_templates().get_template("digest.html").render(shown),
        body={"text": f"{shown['subject']}\n\n{plain}", "source": "headwater", "org": digest.org, "items": []},
    )


@cache
def _templates() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=lambda name: (name or "").endswith(".html"),
        undefined=StrictUndefined,
    )


def _subject(digest: Digest) -> str:
    parts = [f"grade {_percent(digest.facts.now.row.grade)}"]
    moved = _difference(digest.trends[0])
    if moved is not None and abs(moved) >= 0.0005:
        parts[0] += f" ({_points(moved)})"
    for change, name, _ in _GROUPS[:5]:
        count = sum(each.change is change for each in digest.changes)
        if count:
            parts.append(f"{count} {name.lower().removesuffix(' issues')}")
    return f"[Headwater {digest.org}] Week's health: {', '.join(parts)}"


def _columns(digest: Digest) -> list[str]:
    days = (digest.high - digest.low).days
    step = {1: "day", 7: "week"}.get(days, "period")
    return ["Now", f"A {step} ago", *(f"{number} {step}s ago" for number in range(2, len(digest.moments)))]


def _trend(trend: Trend) -> dict[str, Any]:
    moved = _difference(trend)
    return {
        "name": trend.object or "All objects",
        "all": not trend.object,
        "records": f"{trend.records:,}",
        "grades": [_percent(each) for each in trend.grades],
        "change": "–" if moved is None else _points(moved, unit=""),
        "tone": _tone(moved),
    }


def _difference(trend: Trend) -> float | None:
    now, before = trend.grades[0], trend.grades[1]
    return None if now is None or before is None else now - before


def _moved(trend: Trend) -> dict[str, str] | None:
    moved = _difference(trend)
    return None if moved is None else {"words": _points(moved), "tone": _tone(moved)}


def _tone(moved: float | None) -> str:
    if moved is None or abs(moved) < 0.0005:
        return "muted"
    return "better" if moved > 0 else "worse"


def _groups(digest: Digest, words: _Words) -> Iterable[dict[str, Any]]:
    for change, name, tone in _GROUPS:
        found = [each for each in digest.changes if each.change is change]
        if found:
            more = len(found) - _ITEMS
            yield {
                "name": f"{name} ({len(found)})",
                "tone": tone,
                "changes": [_item(digest.org, each, words) for each in found[:_ITEMS]],
                "more": f"and {more} more on the Health page" if more > 0 else "",
            }


def _item(org: str, each: WeekChange, words: _Words) -> dict[str, str]:
    issue, before = each.issue, each.before
    level = f"{issue.failing:,} of {issue.records:,} records ({_percent(issue.failing, issue.records)})"
    if each.change is Change.NOT_ASSESSED or (not issue.failing and issue.reason):
        level = issue.reason
    elif before is not None:
        level = f"{before.failing:,} → {level}"
    return _named(org, issue, words) | {"level": level}


def _lift(org: str, each: Lift, words: _Words) -> dict[str, str]:
    gain = f"+{each.points * 100:.1f} points" if each.points >= 0.0005 else "less than 0.1 points"
    return _named(org, each.issue, words) | {"records": f"{each.records:,}", "gain": gain}


def _named(org: str, issue: IssueResult, words: _Words) -> dict[str, str]:
    url = words.link(page_of(org, issue.check_id))
    return {"title": issue.title, "where": f"({issue.object}, {issue.severity})", "url": url}


def _quiet(digest: Digest) -> str:
    if digest.facts.past[0] is None:
        return "There is no older assessment to compare with."
    return "Nothing changed by more than noise."


def _facts(digest: Digest, words: _Words) -> Iterable[dict[str, str]]:
    facts = digest.facts
    yield {"words": f"Newest assessment: {words.time(facts.now.row.assessed_at)}", "tone": ""}
    yield _freshness(facts.fresh, digest.high, words)
    runs = "extract" if facts.failed_extracts == 1 else "extracts"
    yield {"words": f"{facts.failed_extracts:,} {runs} failed", "tone": "warn" if facts.failed_extracts else ""}
    unknown = f", {facts.errors_unknown:,} of unknown fate" if facts.errors_unknown else ""
    yield {
        "words": f"{facts.errors_open:,} sync errors are open{unknown}; {facts.errors_appeared:,} appeared",
        "tone": "warn" if facts.errors_open else "",
    }


def _freshness(fresh: Sequence[Freshness], high: datetime, words: _Words) -> dict[str, str]:
    unread = [each.object for each in fresh if each.read_to is None]
    if unread:
        return {"words": f"Not read completely yet: {', '.join(unread)}", "tone": "warn"}
    read = sorted((each.read_to, each.object) for each in fresh if each.read_to is not None)
    if not read:
        return {"words": "Nothing was read from the org", "tone": "warn"}
    stale = [object for read_to, object in read if high - read_to > _STALE]
    if stale:
        return {"words": f"Not fresh: {', '.join(stale)}, the oldest of {words.time(read[0][0])}", "tone": "warn"}
    return {"words": f"All {len(read)} objects are read up to {words.time(read[0][0])} or later", "tone": ""}


def _links(org: str, words: _Words) -> Iterable[dict[str, str]]:
    if words.airflow_url:
        of = f"?org={quote(org, safe='')}"
        yield {"name": "Health", "url": words.link(page_of(org))}
        yield {"name": "Extracts", "url": words.link(f"/headwater/extracts{of}")}
        yield {"name": "Sync errors", "url": words.link(f"/headwater/errors{of}")}


def _table(columns: Sequence[str], trends: Sequence[dict[str, Any]]) -> str:
    """Return the trends as lines of text in columns."""
    lines = [["Object", "Records", *columns, "Change"]]
    lines += [[each["name"], each["records"], *each["grades"], each["change"]] for each in trends]
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))]
        )
        for line in lines
    )


def _percent(part: float | None, whole: int | None = None) -> str:
    if part is None:
        return "–"
    share = part if whole is None else (part / whole if whole else 0.0)
    return f"{share:.1%}"


def _points(difference: float, unit: str = " points") -> str:
    sign = "+" if difference > 0 else "−"
    return f"±0.0{unit}" if abs(difference) < 0.0005 else f"{sign}{abs(difference) * 100:.1f}{unit}"

"""Say what changed in an org's health: an item for each change, told once; pure.

What a change is was decided with the assessment (`include.quality.changes`); here it gets words, a place to go to and
the team that it belongs to. What is muted is not told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from urllib.parse import quote

from include.config.checks import CheckDefinition
from include.config.health import HealthDefinition
from include.config.notify import Event
from include.notifications.conditions import Condition
from include.warehouse.health.changes import Change
from include.warehouse.health.mutes import Mute
from include.warehouse.health.report import HealthReport, NewsInWords, StillBad

_UNMUTED_FOR = timedelta(days=30)  # an older date in a definition is forgotten, as what was told of it is
_NAMES_AT_MOST = 12
_WORDS = {
    Change.NEW: "New issue",
    Change.WORSE: "Worse",
    Change.BETTER: "Better",
    Change.MENDED: "Mended",
    Change.ASSESSED_AGAIN: "Assessed again",
}
_GOOD = (Change.BETTER, Change.MENDED, Change.ASSESSED_AGAIN)


def mutes_of(checks: Mapping[str, CheckDefinition]) -> tuple[Mute, ...]:
    """Return the mutes that stand in definitions; those of the page are in a ledger."""
    return tuple(
        Mute(check_id=name, until=None if check.mute is True else check.mute)
        for name, check in checks.items()
        if check.mute is not False
    )


def health_conditions(
    org: str,
    report: HealthReport,
    health: HealthDefinition,
    checks: Mapping[str, CheckDefinition],
    mutes: Sequence[Mute],
) -> list[Condition]:
    """Return what there is to tell; what was told already has the same key and is no news."""
    today = report.assessed_at.date()
    muted = {each.check_id for each in mutes if each.holds_on(today)}
    news = [each for each in report.news if each.news.subject not in muted]
    bad = [each for each in report.bad if each.check_id not in muted]
    found = [
        *(_change(org, each) for each in news if each.news.change is not Change.NOT_ASSESSED),
        *_not_assessed(org, [each for each in news if each.news.change is Change.NOT_ASSESSED], checks),
        *_ended_mutes(org, report, bad, mutes),
        *_reminders(org, report, health, bad),
    ]
    owners = {name: check.owner for name, check in checks.items() if check.owner}
    return [replace(each, to=each.to or owners.get(each.subject, "")) for each in found]


def _change(org: str, each: NewsInWords) -> Condition:
    news = each.news
    if news.change is Change.FIRST:
        title, message = f"First health assessment of {org}: grade {_percent(each.grade)}", _first(each)
    elif news.of_grade:
        title, message = _grade(org, each)
    else:
        title = f"{_WORDS[news.change]}: {each.title} ({news.object})"
        message = _level(each)
    return Condition(
        key=f"health:{news.change.value}:{news.subject}:{news.assessment_id}",
        event=Event.HEALTH_BETTER if news.change in _GOOD else Event.HEALTH_WORSE,
        holds=True,
        once=True,
        title=title,
        message=message,
        path=page_of(org, "" if news.of_grade else news.subject),
        subject=news.subject,
    )


def _first(each: NewsInWords) -> str:
    return (
        f"{each.news.failing:,} of {each.news.records:,} checks find more than they allow. From now on only changes are"
        " told."
    )


def _grade(org: str, each: NewsInWords) -> tuple[str, str]:
    news = each.news
    before, now = _grade_of(news.before_failing, news.before_records), _grade_of(news.failing, news.records)
    way = "went up" if news.change is Change.BETTER else "went down"
    title = f"The grade of {news.object or org} {way}: {before} before, {now} now"
    return title, f"{news.failing:,} of {news.records:,} records have an issue."


def _level(each: NewsInWords) -> str:
    news = each.news
    if not news.failing and not news.before_failing and each.reason:
        return f"{each.reason}. {each.why}"
    share = news.failing / news.records if news.records else 0.0
    words = f"{news.failing:,} of {news.records:,} records ({_percent(share)})"
    if news.change in (Change.WORSE, Change.BETTER, Change.MENDED) and news.before_failing is not None:
        words += f", {news.before_failing:,} of {news.before_records:,} when it was told last"
    allowed = f"; {_percent(each.max_share)} may." if each.max_share else "."
    return words + allowed + (f" {each.why}" if news.change is Change.NEW else "")


def _not_assessed(org: str, lost: Sequence[NewsInWords], checks: Mapping[str, CheckDefinition]) -> Iterator[Condition]:
    """Tell in one item what one loss took away: an object that is gone may be what thirty checks read."""
    groups: dict[tuple[int, str, str], list[NewsInWords]] = {}
    for each in lost:
        owner = checks[each.news.subject].owner if each.news.subject in checks else None
        groups.setdefault((each.news.assessment_id, each.reason, owner or ""), []).append(each)
    for (assessment_id, reason, owner), group in groups.items():
        names = sorted(one.title for one in group)
        more = f" and {len(names) - _NAMES_AT_MOST} more" if len(names) > _NAMES_AT_MOST else ""
        many = f"{len(names)} checks are" if len(names) > 1 else "A check is"
        first = min(one.news.subject for one in group)
        yield Condition(
            key=f"health:not_assessed:{first}:{assessment_id}",
            event=Event.HEALTH_WORSE,
            holds=True,
            once=True,
            title=f"{many} not assessed any more",
            message=f"{'; '.join(names[:_NAMES_AT_MOST])}{more}: {reason}",
            path=page_of(org, first if len(names) == 1 else ""),
            subject=first,
            to=owner,
        )


def _ended_mutes(org: str, report: HealthReport, bad: Sequence[StillBad], mutes: Sequence[Mute]) -> Iterator[Condition]:
    """Tell of what is still bad when its mute ends: what happened meanwhile was told to nobody."""
    ends = {each.check_id: each.until for each in mutes if each.until and not each.holds_on(report.assessed_at.date())}
    for each in bad:
        until = ends.get(each.check_id)
        if until is None:
            continue
        ended_at = datetime.combine(until, time(), UTC)
        if each.bad_since < ended_at and report.assessed_at - ended_at < _UNMUTED_FOR:
            yield _still(org, each, f"unmuted:{each.check_id}:{until.isoformat()}", "No longer muted")


def _reminders(
    org: str, report: HealthReport, health: HealthDefinition, bad: Sequence[StillBad]
) -> Iterator[Condition]:
    if health.remind_after_days is None:
        return
    for each in bad:
        times = (report.assessed_at - each.changed_at) // timedelta(days=health.remind_after_days)
        if times >= 1:
            key = f"reminder:{each.check_id}:{each.changed_at:%Y%m%dT%H%M%S}:{times}"
            yield _still(org, each, key, f"Still so after {(report.assessed_at - each.bad_since).days:,} days")


def _still(org: str, each: StillBad, key: str, words: str) -> Condition:
    level = f"{each.failing:,} of {each.records:,} records ({_percent(each.share)})." if each.failing else each.reason
    return Condition(
        key=f"health:{key}",
        event=Event.HEALTH_WORSE,
        holds=True,
        once=True,
        title=f"{words}: {each.title} ({each.object})",
        message=level,
        path=page_of(org, each.check_id),
        subject=each.check_id,
    )


def page_of(org: str, check_id: str = "") -> str:
    """Return where the Health page, or that of an issue, is."""
    issue = f"/issue/{quote(check_id, safe='')}" if check_id else ""
    return f"/headwater/health{issue}?org={quote(org, safe='')}"


def _grade_of(with_issue: int | None, records: int | None) -> str:
    return _percent((records - with_issue) / records) if records and with_issue is not None else "none"


def _percent(share: float | None) -> str:
    if share is None:
        return "none"
    return f"{share:.2%}" if 0 < share < 0.01 else f"{share:.1%}"

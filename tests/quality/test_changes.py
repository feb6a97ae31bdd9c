"""What changed is decided once: bad news at once, good news when it has lasted, noise never."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from include.config.health import ToleranceDefinition
from include.quality.changes import Seen, decide, decide_grade
from include.warehouse.health.changes import Change, Standing

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TOLERANCE = ToleranceDefinition(records=5, share=0.001)
DAY = timedelta(days=1)


def seen(failing: int, *, records: int = 1_000, allowed: float = 0.02, **more: bool) -> Seen:
    return Seen(failing=failing, records=records, allowed=allowed, over=failing > allowed * records, **more)


GONE = Seen(assessed=False)


def told(course: Iterable[Seen], *, every: timedelta = timedelta(hours=1), settles_in: timedelta = DAY) -> list[Change]:
    """Return what each assessment of a course changes, an hour apart unless said."""
    standing: Standing | None = None
    changes = []
    for number, each in enumerate(course):
        standing, change = decide(standing, each, TOLERANCE, settles_in=settles_in, now=NOW + number * every)
        changes.append(change)
    return changes


def news(course: Iterable[Seen], **how: timedelta) -> list[Change]:
    return [each for each in told(course, **how) if each is not Change.UNCHANGED]


def test_what_stays_bad_for_ten_runs_is_told_when_it_begins_and_when_it_is_over() -> None:
    """One opening, one closing."""
    assert news([seen(0), *[seen(90)] * 10, *[seen(3)] * 10], every=DAY) == [Change.NEW, Change.MENDED]


def test_what_flaps_around_its_threshold_is_one_episode() -> None:
    """Whether it flaps by a little, or by much: it is over when it stayed good for a day."""
    assert news([seen(15), *[seen(26), seen(19)] * 20]) == [Change.NEW]
    assert news([seen(0), *[seen(90), seen(0)] * 20]) == [Change.NEW]
    assert news([seen(0), *[seen(90), seen(0)] * 20, *[seen(0)] * 30]) == [Change.NEW, Change.MENDED]


def test_a_few_more_or_fewer_are_noise_and_creeping_is_not() -> None:
    """The level is that of the last change: two more an hour are told when they are enough."""
    assert news([seen(90), seen(93), seen(88), seen(94)]) == [Change.NEW]
    creeping = told([seen(90), seen(92), seen(94), seen(96), seen(98), seen(100)])
    assert [each is Change.WORSE for each in creeping] == [False, False, False, True, False, False]


def test_a_share_must_change_as_well_as_a_count() -> None:
    """An object that doubles has twice as many bad records and is no worse; five of a million are none."""
    assert news([seen(90), seen(180, records=2_000)]) == [Change.NEW]
    assert news([seen(90_000, records=1_000_000), seen(90_100, records=1_000_000)]) == [Change.NEW]


def test_a_critical_issue_is_told_from_its_first_record() -> None:
    """One record too many is no noise there."""
    assert news([seen(20, urgent=True), seen(21, urgent=True)]) == [Change.NEW]
    assert news([seen(20), seen(21)]) == []


def test_better_is_told_when_it_lasted_and_worse_at_once() -> None:
    """A dip in the afternoon is no success."""
    assert news([seen(90), seen(40), seen(90)]) == [Change.NEW]
    assert news([seen(90), seen(40), seen(41), seen(70)], every=DAY) == [Change.NEW, Change.BETTER, Change.WORSE]


def test_what_cannot_be_assessed_any_more_is_told_once_and_so_is_its_return() -> None:
    """What never was assessed is no loss; coming and going is one loss."""
    assert news([GONE, GONE, GONE]) == []
    assert news([GONE, seen(90)]) == [Change.NEW]
    assert news([seen(0), GONE, GONE, *[seen(0), GONE] * 5]) == [Change.NOT_ASSESSED]
    assert news([seen(0), GONE, seen(0), seen(0)], every=DAY) == [Change.NOT_ASSESSED, Change.ASSESSED_AGAIN]
    assert news([seen(0), GONE, seen(90)]) == [Change.NOT_ASSESSED, Change.NEW]


def test_an_object_that_fails_as_a_whole_has_no_level() -> None:
    """It begins and ends."""
    bad, good = Seen(over=True, counted=False), Seen(over=False, counted=False)
    assert news([good, bad, bad, good, good], every=DAY) == [Change.NEW, Change.MENDED]


def test_a_grade_goes_down_at_once_and_up_when_it_lasts() -> None:
    """By a point at least, against the grade that was told last."""
    standing, found = None, []
    for day, with_issue in enumerate((100, 105, 111, 105, 90, 90, 90)):
        standing, change = decide_grade(
            standing,
            records=1_000,
            with_issue=with_issue,
            tolerance=TOLERANCE,
            settles_in=DAY,
            now=NOW + day * DAY,
        )
        found.append(change)
    same = Change.UNCHANGED
    assert found == [same, same, Change.WORSE, same, same, Change.BETTER, same]


sights = st.one_of(
    st.just(GONE),
    st.builds(
        lambda failing, records, allowed, urgent: seen(
            min(failing, records), records=records, allowed=allowed, urgent=urgent
        ),
        st.integers(0, 60),
        st.sampled_from([0, 40, 1_000]),
        st.just(0.02),
        st.booleans(),
    ),
)
courses = st.lists(st.tuples(sights, st.integers(0, 40)), max_size=40)


@given(courses)
def test_no_course_tells_the_same_change_twice(course: list[tuple[Seen, int]]) -> None:
    """New and mended take turns, a loss and a return too; worse and better are always measured from what was told."""
    standing, now = None, NOW
    bad, lost, level = False, False, (0, 0)
    for each, hours in course:
        now += timedelta(hours=hours)
        standing, change = decide(standing, each, TOLERANCE, settles_in=DAY, now=now)
        again, repeated = decide(standing, each, TOLERANCE, settles_in=DAY, now=now)
        assert (again, repeated) == (standing, Change.UNCHANGED), "a second look at the same data tells nothing"
        if change is Change.UNCHANGED:
            continue
        if change is Change.NOT_ASSESSED:
            assert not lost
            lost = True
            continue
        if change is Change.ASSESSED_AGAIN:
            assert lost
            lost = False
            continue
        lost = False
        difference = each.failing - level[0]
        if change is Change.NEW:
            assert not bad
            assert each.over
        elif change is Change.MENDED:
            assert bad
            assert not each.over
        else:
            assert bad
            assert difference >= 5 if change is Change.WORSE else difference <= -5
        bad, level = change is not Change.MENDED, (each.failing, each.records)


@given(courses, st.integers(0, 60), st.booleans())
def test_every_real_change_is_told_in_the_end(course: list[tuple[Seen, int]], failing: int, urgent: bool) -> None:
    """Once things stay as they are, what was told is how they are, but for what is noise."""
    standing, now = None, NOW
    last = seen(failing, urgent=urgent)
    for each, hours in [*course, (last, 1), (last, 25), (last, 25)]:
        now += timedelta(hours=hours)
        standing, _ = decide(standing, each, TOLERANCE, settles_in=DAY, now=now)

    assert standing is not None
    assert standing.assessed
    if failing >= 25 or (urgent and last.over):
        assert standing.bad
    if failing <= 19:
        assert not standing.bad
    if standing.bad:
        more, greater = failing - standing.failing, failing / 1_000 - standing.share
        neither = more * greater <= 0  # more records, but a smaller share of a larger object
        assert abs(more) < 5 or abs(greater) < 0.001 or neither


@given(courses)
def test_what_is_shown_and_what_is_told_begin_together(course: list[tuple[Seen, int]]) -> None:
    """Bad news never waits: what a page shows as new is told, unless the episode before is not over yet."""
    shown = already = None
    now = NOW
    for each, hours in course:
        now += timedelta(hours=hours)
        open_before = already is not None and already.bad
        shown, on_page = decide(shown, each, TOLERANCE, settles_in=timedelta(0), now=now)
        already, to_people = decide(already, each, TOLERANCE, settles_in=DAY, now=now)
        if on_page is Change.NEW and not open_before:
            assert to_people is Change.NEW

"""Write numbers, shares and times for a person: numbers have units, times have zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

from include.config.platforms import PLATFORMS

NARROW_SPACE = "\u202f"
MINUS = "\u2212"
NOTHING = "–"


def number(value: int | None) -> str:
    """Return a whole number with its thousands apart, or a dash when it is not known.

    >>> number(20000)
    '20,000'
    """
    if value is None:
        return NOTHING
    return f"{value:,}".replace("-", MINUS)


def counted(value: int | None, nouns: str) -> str:
    """Return a number with what it counts, one of them in the singular.

    >>> counted(1, "objects"), counted(2, "entries")
    ('1 object', '2 entries')
    """
    return f"{number(value)} {singular(nouns) if value == 1 else nouns}"


def platform(name: str) -> str:
    """Return a platform as people write it; one that is not known any more by its name.

    >>> platform("insider_one"), platform("gone")
    ('Insider One', 'gone')
    """
    known = PLATFORMS.get(name)
    return known.title if known else name


def singular(nouns: str) -> str:
    """Return the singular of a regular plural; words after the first stay."""
    noun, gap, rest = nouns.partition(" ")
    return (f"{noun[:-3]}y" if noun.endswith("ies") else noun.removesuffix("s")) + gap + rest


def signed(value: int | None) -> str:
    """Return a whole number that always shows its sign, but for zero."""
    if value is None:
        return NOTHING
    return f"+{value:,}" if value > 0 else number(value)


def percent(share: float | None) -> str:
    """Return a share (0 … 1) in percent; little is never rounded to nothing, nor nearly all to all."""
    if share is None:
        return NOTHING
    hundred = share * 100
    if 0 < hundred < 0.1:
        text = "< 0.1"
    elif 99.9 < hundred < 100:
        text = "> 99.9"
    else:
        text = f"{hundred:.1f}"
    return f"{text}{NARROW_SPACE}%"


def points(change: float | None) -> str:
    """Return a change of a share in percentage points, with its sign."""
    if change is None:
        return NOTHING
    hundred = round(change * 100, 1)
    sign = "+" if hundred > 0 else MINUS if hundred < 0 else "±"
    return f"{sign}{abs(hundred):.1f}{NARROW_SPACE}pp"


def stayed(change: float) -> bool:
    """Return whether a change of a share is too small to be shown in percentage points."""
    return abs(change) < 0.0005


def moment(at: datetime | None) -> Markup:
    """Return a time as a `<time>` element in UTC, with the zone said."""
    if at is None:
        return Markup(NOTHING)
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{machine}">{day} <span class="nowrap">{clock}{gap}UTC</span></time>').format(
        machine=utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        day=utc.strftime("%Y-%m-%d"),
        clock=utc.strftime("%H:%M:%S"),
        gap=NARROW_SPACE,
    )


def ago(at: datetime | None, now: datetime) -> str:
    """Return how long ago something was, in the largest unit that says enough."""
    if at is None:
        return NOTHING
    seconds = int((now - at).total_seconds())
    if seconds < 0:
        return "just now"
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length}{NARROW_SPACE}{unit} ago"
    return f"{seconds}{NARROW_SPACE}s ago"


def span(length: timedelta | None) -> str:
    """Return a duration with its units, e.g. `1 h 2 min` or `3.4 s`."""
    if length is None:
        return NOTHING
    seconds = length.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f}{NARROW_SPACE}s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    first, second = ((hours, "h"), (minutes, "min")) if hours else ((minutes, "min"), (rest, "s"))
    return f"{first[0]}{NARROW_SPACE}{first[1]} {second[0]}{NARROW_SPACE}{second[1]}"


def window(low: datetime | None, high: datetime | None) -> Markup:
    """Return a window as `low – high`; without a low end it begins at the beginning."""
    if high is None:
        return Markup(NOTHING)
    start = moment(low) if low else escape("the beginning")
    return Markup('<span class="window">{} to<br>{}</span>').format(start, moment(high))

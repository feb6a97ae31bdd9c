"""Date literals of SOQL: each stands for a range of days."""

from __future__ import annotations

from datetime import date, timedelta

_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12, "FISCAL_QUARTER": 3, "FISCAL_YEAR": 12}


def relative_range(name: str, count: int | None, today: date) -> tuple[date, date] | None:
    """Return the first day of a date literal and the first day after it, or None if there is no such literal.

    The week begins on Sunday, the fiscal year in January, and days are days of UTC, as for a user in that zone.
    """
    if count is None:
        return _fixed(name, today)
    return _counted(name, count, today)


def _fixed(name: str, today: date) -> tuple[date, date] | None:
    days = {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}
    if name in days:
        start = today + timedelta(days=days[name])
        return start, start + timedelta(days=1)
    if name == "LAST_90_DAYS":
        return today - timedelta(days=90), today + timedelta(days=1)
    if name == "NEXT_90_DAYS":
        return today + timedelta(days=1), today + timedelta(days=91)
    shift, _, unit = name.partition("_")
    steps = {"LAST": -1, "THIS": 0, "NEXT": 1}
    if shift not in steps or (unit != "WEEK" and unit not in _MONTHS):
        return None
    return _unit(unit, steps[shift], steps[shift] + 1, today)


def _counted(name: str, count: int, today: date) -> tuple[date, date] | None:
    unit = name.removeprefix("LAST_N_").removeprefix("NEXT_N_").removeprefix("N_").removesuffix("_AGO")
    single = unit.removesuffix("S")
    if not unit.endswith("S") or (single not in ("DAY", "WEEK") and single not in _MONTHS):
        return None
    if name == f"N_{unit}_AGO":
        return _unit(single, -count, -count + 1, today)
    if name == f"NEXT_N_{unit}":
        return _unit(single, 1, count + 1, today)
    if name != f"LAST_N_{unit}":
        return None
    # Only in days does the range reach into the present.
    return _unit(single, -count, 1 if single == "DAY" else 0, today)


def _unit(unit: str, start: int, stop: int, today: date) -> tuple[date, date]:
    if unit == "DAY":
        return today + timedelta(days=start), today + timedelta(days=stop)
    if unit == "WEEK":
        sunday = today - timedelta(days=(today.weekday() + 1) % 7)
        return sunday + timedelta(weeks=start), sunday + timedelta(weeks=stop)
    months = _MONTHS[unit]
    base = (today.year * 12 + today.month - 1) // months * months
    return _month(base + start * months), _month(base + stop * months)


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)

"""Date literals of SOQL: each stands for a range of days."""

from __future__ import annotations

from datetime import date, timedelta

_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12, "FISCAL_QUARTER": 3, "FISCAL_YEAR": 12}
_FIXED_DAYS = {"YESTERDAY": (-1, 0), "TODAY": (0, 1), "TOMORROW": (1, 2), "LAST_90_DAYS": (-90, 1),
               "NEXT_90_DAYS": (1, 91)}  # fmt: skip
_SHIFTS = {"LAST": -1, "THIS": 0, "NEXT": 1}


def relative_range(
    name: str, count: int | None, today: date, *, sunday: bool = True, fiscal_month: int = 1
) -> tuple[date, date] | None:
    """Return the first day of a date literal and the first day after it, or None if there is no such literal."""
    found = _fixed(name) if count is None else _counted(name, count)
    if found is None:
        return None
    unit, start, stop = found
    if unit == "DAY":
        return today + timedelta(days=start), today + timedelta(days=stop)
    if unit == "WEEK":
        first = today - timedelta(days=(today.weekday() + (1 if sunday else 0)) % 7)
        return first + timedelta(weeks=start), first + timedelta(weeks=stop)
    months = _MONTHS[unit]
    shift = fiscal_month - 1 if unit.startswith("FISCAL") else 0
    base = (today.year * 12 + today.month - 1 - shift) // months * months + shift
    return _month(base + start * months), _month(base + stop * months)


def _fixed(name: str) -> tuple[str, int, int] | None:
    if name in _FIXED_DAYS:
        return "DAY", *_FIXED_DAYS[name]
    word, _, unit = name.partition("_")
    if word not in _SHIFTS or (unit != "WEEK" and unit not in _MONTHS):
        return None
    return unit, _SHIFTS[word], _SHIFTS[word] + 1


def _counted(name: str, count: int) -> tuple[str, int, int] | None:
    plural = name.removeprefix("LAST_N_").removeprefix("NEXT_N_").removeprefix("N_").removesuffix("_AGO")
    unit = plural.removesuffix("S")
    if not plural.endswith("S") or (unit not in ("DAY", "WEEK") and unit not in _MONTHS):
        return None
    if name == f"N_{plural}_AGO":
        return unit, -count, -count + 1
    if name == f"NEXT_N_{plural}":
        return unit, 1, count + 1
    if name != f"LAST_N_{plural}":
        return None
    # Only in days does the range reach into the present.
    return unit, -count, 1 if unit == "DAY" else 0


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)

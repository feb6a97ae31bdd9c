"""Functions of SOQL as SQL: parts of dates, texts as the user reads them, distances."""

from __future__ import annotations

from include.sandbox.org.schema.field import Field
from include.sandbox.org.soql.reader import Reader

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
TRANSPARENT = frozenset({"TOLABEL", "CONVERTCURRENCY", "FORMAT"})
_DATE_PARTS = {
    "CALENDAR_YEAR": "year({0})", "CALENDAR_MONTH": "month({0})", "CALENDAR_QUARTER": "quarter({0})",
    "DAY_IN_MONTH": "day({0})", "DAY_IN_WEEK": "(1 + dayofweek({0}))", "DAY_IN_YEAR": "dayofyear({0})",
    "HOUR_IN_DAY": "hour({0})", "WEEK_IN_MONTH": "((day({0}) + 6) // 7)", "WEEK_IN_YEAR": "((dayofyear({0}) + 6) // 7)",
    "DAY_ONLY": "({0})::DATE",
}  # fmt: skip
_FISCAL = frozenset({"FISCAL_YEAR", "FISCAL_QUARTER", "FISCAL_MONTH"})
DATE_FUNCTIONS = frozenset(_DATE_PARTS) | _FISCAL
OF_TIMES_ALONE = frozenset({"DAY_ONLY", "HOUR_IN_DAY"})
_MILES, _KILOMETRES = 3958.76, 6371.009


def date_sql(name: str, value: str, reader: Reader) -> str:
    """Return the expression of a date function."""
    if name not in _FISCAL:
        return _DATE_PARTS[name].format(value)
    moved = f"({value} - INTERVAL {reader.fiscal_month - 1} MONTH)"
    if name == "FISCAL_MONTH":
        return f"month({moved})"
    if name == "FISCAL_QUARTER":
        return f"quarter({moved})"
    # Unless the org says otherwise, a fiscal year is named after the calendar year in which it ends.
    late = 0 if reader.fiscal_by_start or reader.fiscal_month == 1 else 1
    return f"(year({moved}) + {late})"


def zoned_sql(value: str, reader: Reader) -> str:
    """Return a time in the user's zone."""
    return value if reader.zone == "UTC" else f"timezone('{reader.zone}', timezone('UTC', {value}))"


def label_sql(value: str, field: Field) -> str:
    """Return the label of a picklist's value; of several values, each one's."""
    if not field.value_labels:
        return value
    names = ", ".join(_text(each) for each, _ in field.value_labels)
    labels = ", ".join(_text(each) for _, each in field.value_labels)
    found = f"coalesce(map([{names}], [{labels}])[{{0}}], {{0}})"
    if field.type == "multipicklist":
        return f"array_to_string(list_transform(string_split({value}, ';'), lambda x: {found.format('x')}), ';')"
    return found.format(value)


def format_sql(value: str, kind: str, scale: int, reader: Reader) -> str:
    """Return a value as a user in the United States reads it; the user's zone counts, other locales don't."""
    if kind == "datetime":
        return f"strftime({zoned_sql(value, reader)}, '%-m/%-d/%Y, %-I:%M %p')"
    if kind == "date":
        return f"strftime({value}, '%-m/%-d/%Y')"
    if kind == "currency":
        return f"(CASE WHEN {value} < 0 THEN '-$' ELSE '$' END || format('{{:,.{scale}f}}', abs({value})))"
    if kind in ("double", "percent"):
        sign = " || '%'" if kind == "percent" else ""
        return f"(format('{{:,.{scale}f}}', {value}){sign})"
    if kind == "int":
        return f"format('{{:,d}}', ({value})::BIGINT)"
    return f"({value})::VARCHAR"


def distance_sql(latitude: str, longitude: str, place: tuple[float, float], unit: str) -> str:
    """Return the great-circle distance between two columns and a place, in miles or kilometres."""
    radius = _MILES if unit.lower() == "mi" else _KILOMETRES
    there, away = place
    half = (
        f"(pow(sin(radians({latitude} - ({there})) / 2), 2) + cos(radians({latitude})) * cos(radians({there}))"
        f" * pow(sin(radians({longitude} - ({away})) / 2), 2))"
    )
    return f"(2 * {radius} * asin(least(1.0, sqrt({half}))))"


def choice_rank_sql(value: str, field: Field) -> str:
    """Return where a picklist's value stands in the list that its administrator made; strange values come last."""
    choices = ", ".join(_text(each) for each in (*field.picklist, *field.inactive))
    return f"coalesce(list_position([{choices}], {value}), {len(field.picklist) + len(field.inactive) + 1})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

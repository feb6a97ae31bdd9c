"""Who reads: the user behind a session, with the time zone, the locale and the fiscal year that queries depend on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from include.sandbox.org.ids import number_of
from include.sandbox.org.soql.reader import Reader
from include.sandbox.org.store.tables import visible_sql

if TYPE_CHECKING:
    from include.sandbox.org.org import Org

# Only these words make an answer depend on more than the moment and the user's Id.
_PERSONAL = re.compile(r"TODAY|TOMORROW|YESTERDAY|LAST_|THIS_|NEXT_|_AGO|FISCAL_|CONVERTTIMEZONE|FORMAT", re.IGNORECASE)


def reader_of(org: Org, user_id: str, version: str, query: str) -> Reader:
    """Return the reader of a query, looked up as far as the query depends on it."""
    now = org.clock.milliseconds()
    if not _PERSONAL.search(query):
        return Reader(now=now, user_id=user_id, version=float(version))
    zone, locale = _first(org, "User", ("TimeZoneSidKey", "LocaleSidKey"), user_id, now) or ("UTC", "en_US")
    names = ("FiscalYearStartMonth", "UsesStartDateAsFiscalYearName")
    month, by_start = _first(org, "Organization", names, None, now) or (1, False)
    return Reader(
        now=now, user_id=user_id, version=float(version), zone=_known_zone(zone), locale=locale or "en_US",
        fiscal_month=int(month or 1), fiscal_by_start=bool(by_start),
    )  # fmt: skip


def _known_zone(name: str | None) -> str:
    if name in (None, "GMT", "UTC"):
        return "UTC"
    try:
        return ZoneInfo(str(name)).key
    except (ZoneInfoNotFoundError, ValueError):
        return "UTC"


def _first(org: Org, name: str, fields: tuple[str, ...], record_id: str | None, now: int) -> tuple[Any, ...] | None:
    target = org.catalogue.find(name)
    if target is None:
        return None
    columns = ", ".join(f't."{each}"' if target.field(each) else "NULL" for each in fields)
    where = visible_sql("t", str(now)) + (" AND t._n = $1" if record_id else "")
    values = [number_of(record_id)] if record_id else []
    rows = org.database.rows(f'SELECT {columns} FROM "{target.name}" t WHERE {where} LIMIT 1', values)
    return rows[0] if rows else None

"""Who asks a query, and when: what USING SCOPE, date literals and formats depend on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

_SUNDAY_LOCALES = ("en_US", "en_CA", "fr_CA", "ja", "ja_JP", "iw", "iw_IL", "zh_TW", "es_MX", "pt_BR", "hi_IN")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Hold the user behind a query and the moment of it; plain values, so that a cursor can keep them on disk."""

    now: int  # milliseconds: what became visible later isn't seen
    user_id: str = ""
    version: float = 67.0
    zone: str = "UTC"
    locale: str = "en_US"
    fiscal_month: int = 1
    fiscal_by_start: bool = False  # the fiscal year is named after the calendar year in which it begins
    day: str = ""  # the day of the query where it isn't the day of `now`

    @property
    def today(self) -> date:
        """Return the user's day."""
        if self.day:
            return date.fromisoformat(self.day)
        return datetime.fromtimestamp(self.now / 1000, tz=ZoneInfo(self.zone)).date()

    @property
    def week_begins_on_sunday(self) -> bool:
        """Say whether the user's week begins on Sunday; elsewhere it is Monday."""
        return self.locale in _SUNDAY_LOCALES

    def midnight(self, day: date) -> datetime:
        """Return when a day of the user begins, in UTC without saying so, as the store keeps times."""
        local = datetime.combine(day, time(), tzinfo=ZoneInfo(self.zone))
        return local.astimezone(UTC).replace(tzinfo=None)

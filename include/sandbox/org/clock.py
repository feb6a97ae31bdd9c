"""The org's clock: the machine's time, unless the control plane moved it; what it was told outlives a restart."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from include.sandbox.org.kept import read_kept, write_kept

# What an org's clock can say: records' stamps, the bin and the Date header have to follow it.
EARLIEST, LATEST = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (1970, 3900))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    """Say that the org's time was `org` when the machine's was `machine`, and how fast it runs since."""

    machine: float = 0.0
    org: float = 0.0
    rate: float = 1.0
    skew: float = 0.0


class Clock:
    """Tell the org's time; records and sessions follow it, the Date header is `skew` seconds off it."""

    def __init__(self, kept: Path | None = None) -> None:
        self._kept = kept
        found = read_kept(kept) if kept is not None else None
        self._setting = _Setting(**found) if found else _Setting()

    def epoch(self) -> float:
        """Return seconds since 1970."""
        setting = self._setting
        return min(max(setting.org + (time.time() - setting.machine) * setting.rate, EARLIEST), LATEST)

    def milliseconds(self) -> int:
        """Return milliseconds since 1970, the unit of visibility stamps."""
        return int(self.epoch() * 1000)

    def now(self) -> datetime:
        """Return the time as an aware UTC datetime."""
        return datetime.fromtimestamp(self.epoch(), tz=UTC)

    def second(self) -> datetime:
        """Return the time cut to whole seconds, which is all that a Salesforce stamp keeps."""
        return self.now().replace(microsecond=0)

    def http_date(self) -> str:
        """Return the value of the Date header."""
        shown = datetime.fromtimestamp(int(self.epoch() + self.skew), tz=UTC)
        return format_datetime(shown, usegmt=True)

    @property
    def offset(self) -> float:
        """Return how many seconds the org is ahead of the machine; to the millisecond, two clocks being read."""
        return round(self.epoch() - time.time(), 3)

    @offset.setter
    def offset(self, seconds: float) -> None:
        self.set(time.time() + seconds)

    @property
    def rate(self) -> float:
        """Return how many seconds pass in the org while one passes on the machine; 0 is a clock that stands."""
        return self._setting.rate

    @property
    def skew(self) -> float:
        """Return how many seconds the Date header is ahead of the stamps on records."""
        return self._setting.skew

    def set(self, epoch: float) -> None:
        """Make it a certain time now."""
        self._become(replace(self._setting, machine=time.time(), org=epoch))

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self.set(self.epoch() + seconds)

    def run(self, rate: float) -> None:
        """Go on from now at another speed."""
        self._become(replace(self._setting, machine=time.time(), org=self.epoch(), rate=rate))

    def shift_date_header(self, seconds: float) -> None:
        """Put the Date header off the stamps on records, as two servers with clocks of their own do."""
        self._become(replace(self._setting, skew=seconds))

    def reset(self) -> None:
        """Follow the machine again."""
        self._become(_Setting())

    def _become(self, setting: _Setting) -> None:
        self._setting = setting
        if self._kept is not None:
            write_kept(self._kept, asdict(setting))


def stamp_text(moment: datetime) -> str:
    """Return a datetime as REST writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")

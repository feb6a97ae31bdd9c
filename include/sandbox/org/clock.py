"""The org's clock: real time, unless the control plane moved it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from email.utils import format_datetime


class Clock:
    """Tell the org's time; `offset` seconds ahead of the machine's."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def epoch(self) -> float:
        """Return seconds since 1970."""
        return time.time() + self.offset

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
        return format_datetime(self.second(), usegmt=True)


def stamp_text(moment: datetime) -> str:
    """Return a datetime as REST writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")

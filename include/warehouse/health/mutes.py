"""The ledger of muted issues: who said that nobody is told of one, and until when; the audit trail has each change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text

from include.warehouse.personal.audit import write_audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Mute:
    """Say that nobody is told of an issue until a day, or for good; in a definition nobody signs for it."""

    check_id: str
    until: date | None = None
    by: str = ""
    at: datetime | None = None

    def holds_on(self, day: date) -> bool:
        """Return whether it still holds."""
        return self.until is None or day < self.until


def mutes(connection: Connection, org: str) -> tuple[Mute, ...]:
    """Return what people muted on the page, also what is over: its end is told."""
    rows = connection.execute(
        text(
            "SELECT check_id, until, muted_by AS by, muted_at AS at FROM headwater.health_mute WHERE org = :org"
            " ORDER BY check_id"
        ),
        {"org": org},
    )
    return tuple(Mute(**row) for row in rows.mappings())


def set_mute(connection: Connection, org: str, check_id: str, until: date | None, *, who: str) -> None:
    """Mute an issue until a day, or for good; with today as the day the mute is over.

    Args:
        connection: an open transaction.
        org: whose.
        check_id: which.
        until: the day from which on people are told again; None for good.
        who: the name by which the person is signed in.
    """
    before = next((each for each in mutes(connection, org) if each.check_id == check_id), None)
    connection.execute(
        text(
            "INSERT INTO headwater.health_mute (org, check_id, until, muted_by) VALUES (:org, :check_id, :until, :who)"
            " ON CONFLICT (org, check_id) DO UPDATE SET until = excluded.until, muted_by = excluded.muted_by,"
            " muted_at = now()"
        ),
        {"org": org, "check_id": check_id, "until": until, "who": who},
    )
    write_audit(
        connection,
        who=who,
        what=f"muted the issue {check_id}",
        org=org,
        before=_words(before),
        after=_words(Mute(check_id=check_id, until=until)),
    )


def _words(mute: Mute | None) -> str:
    if mute is None:
        return "told"
    return f"muted until {mute.until.isoformat()}" if mute.until else "muted for good"

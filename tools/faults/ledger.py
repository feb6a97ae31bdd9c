"""Read what the warehouse itself wrote about the runs of the campaign."""

from __future__ import annotations

from collections import Counter

import psycopg


class RunLedger:
    """Hold the runs by state, those that ended badly with their cause."""

    def __init__(self, warehouse: str) -> None:
        with psycopg.connect(warehouse) as connection:
            self.states: Counter[tuple[str, str]] = Counter()
            for kind, state, count in connection.execute(
                "SELECT kind, state, count(*) FROM headwater.run GROUP BY 1, 2"
            ):
                self.states[kind, state] = count
            self.degraded: list[tuple[int, str, str, str]] = connection.execute(
                "SELECT run_id, kind, subject, message FROM headwater.run WHERE state = 'degraded' ORDER BY run_id"
            ).fetchall()
            self.nameless: int = connection.execute(
                "SELECT count(*) FROM headwater.run WHERE state IN ('degraded', 'failed') AND message = ''"
            ).fetchone()[0]  # type: ignore[index]
            failed = connection.execute("SELECT message FROM headwater.run WHERE state = 'failed'").fetchall()
            self.failed = Counter(_cause(message) for (message,) in failed)
            newest = "SELECT DISTINCT ON (object) object, difference FROM headwater.certificate"
            newest += " ORDER BY object, certificate_id DESC"
            certificates: list[tuple[str, int]] = connection.execute(newest).fetchall()
            self.different = [each for each in certificates if each[1]]


def _cause(message: str) -> str:
    """Return what messages of one cause have in common: no job, no number, no object."""
    words = message.split(";")[0].split(": ")
    said = words[1] if len(words) > 1 else words[0]
    return " ".join(
        "…" if any(each.isdigit() for each in word) and not word.isdigit() else word for word in said.split()
    )[:90]

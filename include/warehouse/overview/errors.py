"""Sync errors for their page: a list that is searched and filtered, and one error with its history."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, text

from include.warehouse.engine import transaction

# A key that is no Id of Salesforce may be somebody's address. Nobody's search finds it: who may not see it could guess
# it letter by letter, and of who may it would stand in the logs of addresses. Nor does it stand in its place among the
# others where they are sorted: its neighbours would say how it begins.
_ID = "CASE WHEN e.record_id ~ '^[A-Za-z0-9]{15}[A-Z0-5]{3}$' AND e.record_id !~ '^[0-9]+$' THEN e.record_id END"
SORTS = {
    "last": "e.last_at",
    "first": "e.first_at",
    "push": "e.push",
    "record": _ID,
    "cause": "e.cause",
    "attempts": "e.attempts",
    "next": "e.next_try_at",
}
CLASSES = ("passing", "permanent", "unknown")
AGES = {"hour": "1 hour", "day": "1 day", "week": "7 days"}
SHOWN = ("open", "settled", "all")
# What happens next sorts them: a passing failure goes again by itself, an unknown one needs somebody who knows.
_CLASS = "CASE WHEN e.retryable THEN 'passing' WHEN e.outcome = 'unknown' THEN 'unknown' ELSE 'permanent' END"
COLUMNS = (
    "e.error_id, e.push, e.platform, e.object, e.record_id, e.outcome, e.event_key <> '' AS event, e.cause, e.message,"
    f" {_CLASS} AS cause_class, e.attempts, e.first_run_id, e.last_run_id, e.first_at, e.last_at, e.next_try_at,"
    " e.asked_by, e.settled_at, e.settled_by"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorFilter:
    """Hold which errors are looked at; "" does not narrow. `age` is the most time since the last failure."""

    search: str = ""
    push: str = ""
    platform: str = ""
    cause: str = ""
    cause_class: str = ""
    age: str = ""
    shown: str = "open"

    def bound(self, org: str) -> dict[str, Any]:
        """Return the values that `matching` binds."""
        return {"org": org, **asdict(self), "age": AGES.get(self.age, "")}


def matching(wanted: ErrorFilter) -> str:
    """Return the condition that the errors `e` of an org meet."""
    state = {"open": "e.settled_at IS NULL", "settled": "e.settled_at IS NOT NULL"}.get(wanted.shown, "true")
    age = "e.last_at > now() - CAST(:age AS interval)" if wanted.age in AGES else "true"
    return (
        f"{state} AND {age} AND (:push = '' OR e.push = :push) AND (:platform = '' OR e.platform = :platform)"
        f" AND (:cause = '' OR e.cause = :cause) AND (:cause_class = '' OR {_CLASS} = :cause_class)"
        f" AND (:search = '' OR position(lower(:search) IN lower(concat_ws(' ', {_ID}, e.push, e.object, e.cause,"
        " e.message))) > 0)"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncError:
    """Hold one record that did not arrive. Neither cause nor message holds a value of it."""

    error_id: int
    push: str
    platform: str
    object: str
    record_id: str
    outcome: str
    event: bool  # an event's fate is unknown
    cause: str
    message: str
    cause_class: str
    attempts: int
    first_run_id: int
    last_run_id: int
    first_at: datetime
    last_at: datetime
    next_try_at: datetime | None
    asked_by: str
    settled_at: datetime | None
    settled_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncErrors:
    """Hold one page of errors, how many match, the newest of all, and what there is to filter by.

    `cut`: there are more than were looked through.
    """

    errors: tuple[SyncError, ...]
    total: int
    last: int = 0
    pushes: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorEvent:
    """Hold one line of an error's history: it failed in a run, a person asked for a try, or it was settled."""

    at: datetime
    run_id: int | None
    what: str
    who: str
    cause: str
    message: str
    mode: str | None = None  # of the run
    dag_id: str | None = None
    dag_run_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorDetails:
    """Hold one error with its history, the newest line first."""

    error: SyncError
    history: tuple[ErrorEvent, ...] = field(default=())


def errors_before(
    engine: Engine, org: str, wanted: ErrorFilter, *, before: int | None = None, limit: int = 50
) -> list[SyncError]:
    """Return errors of an org, the newest first, those before the error `before`: nothing is counted."""
    bound = {**wanted.bound(org), "limit": limit, "before": before}
    older = "" if before is None else "AND e.error_id < :before"
    statement = (
        f"SELECT {COLUMNS} FROM headwater.sync_error AS e WHERE e.org = :org AND {matching(wanted)} {older}"
        " ORDER BY e.error_id DESC LIMIT :limit"
    )
    with transaction(engine) as connection:
        return [SyncError(**row) for row in connection.execute(text(statement), bound).mappings()]


def one_error(engine: Engine, org: str, error_id: int) -> ErrorDetails | None:
    """Return an error with its history, or None when the org has none of this id."""
    bound = {"org": org, "error_id": error_id}
    with transaction(engine) as connection:
        row = connection.execute(
            text(f"SELECT {COLUMNS} FROM headwater.sync_error AS e WHERE e.org = :org AND e.error_id = :error_id"),
            bound,
        )
        found = row.mappings().one_or_none()
        if found is None:
            return None
        history = connection.execute(
            text(
                "SELECT h.at, h.run_id, h.what, h.who, h.cause, h.message, p.mode, r.dag_id, r.dag_run_id"
                " FROM headwater.sync_error_event AS h LEFT JOIN headwater.push_run AS p USING (run_id)"
                " LEFT JOIN headwater.run AS r USING (run_id) WHERE h.error_id = :error_id"
                " ORDER BY h.event_id DESC LIMIT 100"
            ),
            bound,
        ).mappings()
        return ErrorDetails(error=SyncError(**found), history=tuple(ErrorEvent(**line) for line in history))

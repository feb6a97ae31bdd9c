"""What changed and what went in a span of minutes: the lists that replicating clients ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.store.tables import visible_sql

_MOST = 600_000
_OLDEST = timedelta(days=30)
_LOG = timedelta(days=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated:
    """Hold the Ids of records that were created or changed, and up to when the list is whole."""

    ids: list[str]
    latest: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """Hold Ids with the time of their deletion, how far back the log goes, and up to when the list is whole."""

    records: list[tuple[str, datetime]]
    earliest: datetime
    latest: datetime


def updated_records(org: Org, target: SObject, start: datetime, end: datetime) -> Updated:
    """Return what was created or changed between two minutes, both included."""
    start, end = _span(org, start, end)
    stamp = next((name for name in ("SystemModstamp", "LastModifiedDate") if target.field(name)), None)
    if stamp is None:
        raise _not_replicable(target)
    present = ' AND NOT t."IsDeleted"' if target.field("IsDeleted") else ""
    sql = (
        f'SELECT t."Id" FROM "{target.name}" t WHERE {_seen(org)}{present}'
        f' AND t."{stamp}" BETWEEN $1 AND $2 ORDER BY t._n LIMIT {_MOST + 1}'
    )
    rows = org.database.rows(sql, [_plain(start), _plain(end)])
    _check_number(len(rows))
    return Updated(ids=[row[0] for row in rows], latest=_covered(org, target, end))


def deleted_records(org: Org, target: SObject, start: datetime, end: datetime) -> Deleted:
    """Return what was deleted between two minutes, both included, as far as the log remembers."""
    start, end = _span(org, start, end)
    earliest = max(_beginning(org), org.clock.now() - _LOG).replace(second=0, microsecond=0)
    logged = "SELECT id, deleted_at FROM sandbox_gone WHERE object = $3"
    if target.field("IsDeleted"):
        logged += (
            " UNION ALL SELECT t.\"Id\", date_trunc('second', coalesce(make_timestamp(b.deleted_at * 1000),"
            f' t."SystemModstamp")) FROM "{target.name}" t'
            f' LEFT JOIN sandbox_bin b ON b.object = $3 AND b.n = t._n WHERE {_seen(org)} AND t."IsDeleted"'
        )
    sql = (
        f"SELECT id, max(deleted_at) AS latest FROM ({logged}) WHERE deleted_at BETWEEN $1 AND $2"
        f" GROUP BY id ORDER BY latest, id LIMIT {_MOST + 1}"
    )
    rows = org.database.rows(sql, [_plain(max(start, earliest)), _plain(end), target.name])
    _check_number(len(rows))
    records = [(record_id, at.replace(tzinfo=UTC)) for record_id, at in rows]
    return Deleted(records=records, earliest=earliest, latest=_covered(org, target, end))


def _span(org: Org, start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """Return the span in whole minutes, or refuse it."""
    start, end = (each.astimezone(UTC).replace(second=0, microsecond=0) for each in (start, end))
    if end - start < timedelta(minutes=1):
        message = "endDate must be at least one minute greater than startDate"
        raise Refusal(400, "INVALID_REPLICATION_DATE", message)
    if start < org.clock.now() - _OLDEST - timedelta(minutes=1):
        raise Refusal(400, "INVALID_REPLICATION_DATE", "startDate cannot be more than 30 days ago")
    return start, end


def _covered(org: Org, target: SObject, end: datetime) -> datetime:
    """Return up to when the list is whole: what a slow commit has stamped but not shown yet bounds it."""
    now = org.clock.now().replace(second=0, microsecond=0)
    latest = min(end, now)
    if target.field("SystemModstamp") is None:
        return latest
    sql = f'SELECT min(t."SystemModstamp") FROM "{target.name}" t WHERE t._from > $1'
    pending = org.database.rows(sql, [org.clock.milliseconds()])[0][0]
    if pending is None:
        return latest
    stamped: datetime = pending.replace(tzinfo=UTC, second=0, microsecond=0)
    return min(latest, stamped)


def _beginning(org: Org) -> datetime:
    rows = org.database.rows('SELECT min("CreatedDate") FROM "Organization"')
    made: datetime = rows[0][0].replace(tzinfo=UTC) if rows and rows[0][0] else org.schema_changed
    return made


def _seen(org: Org) -> str:
    return visible_sql("t", str(org.clock.milliseconds()))


def _plain(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)


def _check_number(found: int) -> None:
    if found > _MOST:
        raise Refusal(400, "EXCEEDED_ID_LIMIT", f"The number of Ids exceeds the limit of {_MOST}")


def _not_replicable(target: SObject) -> Refusal:
    return Refusal(400, "INVALID_TYPE", f"sObject type {target.name} is not replicable")

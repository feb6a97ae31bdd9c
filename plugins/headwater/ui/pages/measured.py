"""Turn what the ledgers say into Prometheus' metrics: a registry of its own for each scrape.

Everything is a gauge: it says how things are, as the ledgers have it. Old lines of a ledger are dropped, so a sum over
one may fall, which no counter does.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Engine

from include.records import OutcomeCounts
from include.warehouse.overview import HealthOverview, Org, health_overview, list_orgs, usage_overview
from include.warehouse.overview.glance import Glance, glance_at
from include.warehouse.overview.measures import (
    DestinationMeasures,
    OrgMeasures,
    measures_of,
    measures_of_destinations,
)
from include.warehouse.overview.pushes import PushOverview, pushes_overview
from include.warehouse.overview.runs import STATES
from include.warehouse.overview.usage import Budget

_OBJECT = ("org", "object")
_RUN = ("org", "kind", "subject")
_PUSH = ("org", "push", "destination")
_OUTCOMES = ("delivered", "accepted", "unchanged", "skipped", "rejected", "unknown", "held")

# name: what it says with its unit, and its labels. The order is that of the answer.
FAMILIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "headwater_warehouse_up": ("1: the warehouse answers; 0: it does not, and nothing else is told.", ()),
    "headwater_scrape_duration_seconds": ("How long it took to read the ledgers for this answer.", ()),
    "headwater_object_records_here": ("Records of an object in the warehouse at the last comparison.", _OBJECT),
    "headwater_object_records_in_org": ("Records of an object in the org at the last comparison.", _OBJECT),
    "headwater_object_records_difference": ("Records in the org that the warehouse lacks (negative: excess).", _OBJECT),
    "headwater_object_compared_timestamp_seconds": ("When an object was compared with the org, Unix time.", _OBJECT),
    "headwater_object_cursor_age_seconds": ("How far behind now an object has safely been read.", _OBJECT),
    "headwater_object_loaded": ("1: the first load of an object is complete; 0: it is not.", _OBJECT),
    "headwater_run_last_state": ("1 for the state of the newest run of a subject, 0 for others.", (*_RUN, "state")),
    "headwater_run_last_duration_seconds": ("How long the newest run of a subject took, or takes so far.", _RUN),
    "headwater_run_last_start_timestamp_seconds": ("When the newest run of a subject began, Unix time.", _RUN),
    "headwater_run_last_success_timestamp_seconds": ("When a run of a subject ended well last, Unix time.", _RUN),
    "headwater_api_calls_used": ("API calls of everybody in the org's rolling 24 hours.", ("org",)),
    "headwater_api_calls_allowed": ("API calls that the org allows in 24 hours.", ("org",)),
    "headwater_api_calls_used_ratio": ("Share of the allowed API calls that is used.", ("org",)),
    "headwater_api_calls_watermark": ("API calls that are left to others.", ("org",)),
    "headwater_api_calls_left": ("API calls before the watermark.", ("org",)),
    "headwater_api_calls_ours": ("Our API calls in the day of the quota.", ("org",)),
    "headwater_api_calls_quota": ("API calls that we may make in a day; missing: no quota.", ("org",)),
    "headwater_api_paused_timestamp_seconds": ("When a call was held back for the budget last, Unix time.", ("org",)),
    "headwater_health_grade_ratio": ("Share of records without any issue.", ("org",)),
    "headwater_health_weighted_grade_ratio": ("The grade, a record's worst issue weighed by severity.", ("org",)),
    "headwater_health_object_grade_ratio": ("Share of an object's records without any issue.", _OBJECT),
    "headwater_health_assessed_timestamp_seconds": ("When the org was assessed last, Unix time.", ("org",)),
    "headwater_health_issues": ("Issues by verdict (passed, failed, not_assessed).", ("org", "severity", "verdict")),
    "headwater_health_findings": ("Failing records, counted once for each issue.", ("org", "severity")),
    "headwater_push_last_run_records": ("Records of the newest run of a push by outcome.", (*_PUSH, "outcome")),
    "headwater_push_last_run_timestamp_seconds": ("When the newest run of a push chose records, Unix time.", _PUSH),
    "headwater_push_outbox_records": ("Records in requests without an answer yet.", _PUSH),
    "headwater_push_outbox_events": ("Events in requests without an answer yet.", _PUSH),
    "headwater_push_settlement_records": (
        "Accepted records that wait for the platform's word, counted up to 10000.",
        ("org", "push"),
    ),
    "headwater_sync_errors_open": (
        "Open sync errors by what happens next; at most 10000 of an org are counted.",
        (*_PUSH, "class"),
    ),
    "headwater_destination_circuit_open": ("1: a platform refuses a connection, and it is not used.", ("connection",)),
    "headwater_destination_circuit_opened_timestamp_seconds": ("Since when, Unix time.", ("connection",)),
    "headwater_destination_bucket_wait_seconds": (
        "How far ahead calls over a connection are reserved.",
        ("connection", "lane"),
    ),
    "headwater_destination_bucket_slowed": (
        "1: the platform's own count slows a connection.",
        ("connection", "lane"),
    ),
    "headwater_schema_changes_waiting": ("Changes of fields that wait for a person.", ("org",)),
    "headwater_notifications_waiting": ("Messages that were not sent yet.", ("org", "channel")),
}
Sample = tuple[str, tuple[str, ...], float | None]


class Ledgers(Collector):
    """Be what a registry collects; nothing but the warehouse's absence is told without an engine."""

    def __init__(self, engine: Engine | None) -> None:
        self._engine = engine

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metrics, each with its samples; one without a sample is left out."""
        families = {name: GaugeMetricFamily(name, words, labels=labels) for name, (words, labels) in FAMILIES.items()}
        for name, labels, value in _all(self._engine):
            if value is not None:
                families[name].add_metric(labels, value)
        yield from (family for family in families.values() if family.samples)

    def describe(self) -> list[GaugeMetricFamily]:
        """Return nothing: registering must not read the ledgers."""
        return []


def registry_of(engine: Engine | None) -> CollectorRegistry:
    """Return a registry over the ledgers; None: the warehouse does not answer."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Ledgers(engine))
    return registry


def _all(engine: Engine | None) -> Iterator[Sample]:
    if engine is None:
        yield "headwater_warehouse_up", (), 0.0
        return
    began = time.perf_counter()
    now = datetime.now(UTC)
    for org in list_orgs(engine):
        yield from _of_org(engine, org, now)
    yield from _destinations(measures_of_destinations(engine))
    yield "headwater_warehouse_up", (), 1.0
    yield "headwater_scrape_duration_seconds", (), time.perf_counter() - began


def _of_org(engine: Engine, org: Org, now: datetime) -> Iterator[Sample]:
    name = org.org
    glance = glance_at(engine, name)
    yield from _objects(name, glance, now)
    yield "headwater_schema_changes_waiting", (name,), float(glance.schema_waiting)
    yield from _api(name, usage_overview(engine, name).budget)
    health = health_overview(engine, name)
    if health:
        yield from _health(name, health)
    measured, last = measures_of(engine, name), pushes_overview(engine, name)
    yield from _runs(name, measured)
    yield from _pushes(name, measured, last)


def _objects(org: str, glance: Glance, now: datetime) -> Iterator[Sample]:
    for each in glance.objects:
        key = (org, each.object)
        yield "headwater_object_records_here", key, _number(each.here)
        yield "headwater_object_records_in_org", key, _number(each.in_org)
        yield "headwater_object_records_difference", key, _number(each.difference)
        yield "headwater_object_compared_timestamp_seconds", key, _moment(each.as_of)
        age = (now - each.cursor_at).total_seconds() if each.cursor_at else None
        yield "headwater_object_cursor_age_seconds", key, age
        yield "headwater_object_loaded", key, float(each.first_loaded_at is not None)


def _api(org: str, budget: Budget) -> Iterator[Sample]:
    ratio = budget.used / budget.allowed if budget.used is not None and budget.allowed else None
    figures: dict[str, float | None] = {
        "calls_used": _number(budget.used),
        "calls_allowed": _number(budget.allowed),
        "calls_used_ratio": ratio,
        "calls_watermark": _number(budget.kept),
        "calls_left": _number(budget.left),
        "calls_ours": _number(budget.ours),
        "calls_quota": _number(budget.quota),
        "paused_timestamp_seconds": _moment(budget.paused_at),
    }
    for name, value in figures.items():
        yield f"headwater_api_{name}", (org,), value


def _health(org: str, health: HealthOverview) -> Iterator[Sample]:
    yield "headwater_health_grade_ratio", (org,), health.grade
    yield "headwater_health_weighted_grade_ratio", (org,), health.assessment.weighted
    yield "headwater_health_assessed_timestamp_seconds", (org,), _moment(health.assessment.assessed_at)
    for each in health.objects:
        yield "headwater_health_object_grade_ratio", (org, each.object), each.grade
    for severity in ("critical", "error", "warning", "info"):
        issues = [each for each in health.issues if each.severity == severity]
        for verdict in ("passed", "failed", "not_assessed"):
            count = sum(each.verdict == verdict for each in issues)
            yield "headwater_health_issues", (org, severity, verdict), float(count)
        yield "headwater_health_findings", (org, severity), float(sum(each.failing for each in issues))


def _runs(org: str, measured: OrgMeasures) -> Iterator[Sample]:
    for each in measured.runs:
        key = (org, each.kind, each.subject)
        for state in STATES:
            yield "headwater_run_last_state", (*key, state), float(each.state == state)
        yield "headwater_run_last_duration_seconds", key, each.seconds
        yield "headwater_run_last_start_timestamp_seconds", key, _moment(each.started_at)
        yield "headwater_run_last_success_timestamp_seconds", key, _moment(each.succeeded_at)
    for channel, messages in measured.messages.items():
        yield "headwater_notifications_waiting", (org, channel), float(messages)


def _pushes(org: str, measured: OrgMeasures, last: Mapping[str, PushOverview]) -> Iterator[Sample]:
    for push, run in last.items():
        key = (org, push, run.platform)
        yield "headwater_push_last_run_timestamp_seconds", key, _moment(run.at)
        for outcome, records in _outcomes(run.counts):
            yield "headwater_push_last_run_records", (*key, outcome), float(records)
    for waiting in measured.outbox:
        key = (org, waiting.push, waiting.platform)
        yield "headwater_push_outbox_records", key, float(waiting.records)
        yield "headwater_push_outbox_events", key, float(waiting.events)
    for push, records in measured.settlements.items():
        yield "headwater_push_settlement_records", (org, push), float(records)
    for error in measured.errors:
        yield "headwater_sync_errors_open", (org, error.push, error.platform, error.cause_class), float(error.errors)


def _destinations(measured: DestinationMeasures) -> Iterator[Sample]:
    for connection in sorted({each.connection for each in measured.lanes} | set(measured.refused)):
        opened_at = measured.refused.get(connection)
        yield "headwater_destination_circuit_open", (connection,), float(opened_at is not None)
        yield "headwater_destination_circuit_opened_timestamp_seconds", (connection,), _moment(opened_at)
    for lane in measured.lanes:
        key = (lane.connection, lane.lane)
        yield "headwater_destination_bucket_wait_seconds", key, lane.wait_seconds
        yield "headwater_destination_bucket_slowed", key, float(lane.slowed)


def _outcomes(counts: OutcomeCounts) -> Iterable[tuple[str, int]]:
    return ((name, getattr(counts, name)) for name in _OUTCOMES)


def _number(value: int | None) -> float | None:
    return None if value is None else float(value)


def _moment(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()

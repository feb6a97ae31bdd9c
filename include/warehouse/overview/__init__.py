"""Read across the ledgers what pages and `make status` show; nothing here writes.

Every query is bounded: it reads a page of rows or one row per object, whatever the warehouse holds.
"""

from __future__ import annotations

from include.warehouse.overview.changers import Changer, record_changers
from include.warehouse.overview.health import HealthOverview, health_overview
from include.warehouse.overview.issue_records import FailingRecord, FailingRecords, failing_records
from include.warehouse.overview.notifications import Notification, Notifications, notifications_overview
from include.warehouse.overview.objects import ObjectOverview, objects_overview
from include.warehouse.overview.onboarding import Onboarding, onboarding_overview
from include.warehouse.overview.orgs import ApiUsage, Org, api_usage, list_orgs
from include.warehouse.overview.runs import ExtractRun, ExtractRuns, extract_runs
from include.warehouse.overview.schema import SchemaChange, SchemaChanges, schema_changes
from include.warehouse.overview.usage import UsageOverview, usage_overview

__all__ = [
    "ApiUsage",
    "Changer",
    "ExtractRun",
    "ExtractRuns",
    "FailingRecord",
    "FailingRecords",
    "HealthOverview",
    "Notification",
    "Notifications",
    "ObjectOverview",
    "Onboarding",
    "Org",
    "SchemaChange",
    "SchemaChanges",
    "UsageOverview",
    "api_usage",
    "extract_runs",
    "failing_records",
    "health_overview",
    "list_orgs",
    "notifications_overview",
    "objects_overview",
    "onboarding_overview",
    "record_changers",
    "schema_changes",
    "usage_overview",
]

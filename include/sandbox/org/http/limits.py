"""The org's limits and record counts."""

from __future__ import annotations

from typing import Any

from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.store.tables import visible_sql

# Name -> maximum; nothing here uses them up.
_UNTOUCHED = {
    "ActiveScratchOrgs": 3, "ConcurrentAsyncGetReportInstances": 200, "ConcurrentSyncReportRuns": 20,
    "DailyAsyncApexExecutions": 250_000, "DailyAsyncApexTests": 500, "DailyBulkApiBatches": 15_000,
    "DailyBulkV2QueryFileStorageMB": 976_562, "DailyDeliveredPlatformEvents": 10_000,
    "DailyDurableGenericStreamingApiEvents": 10_000, "DailyDurableStreamingApiEvents": 10_000,
    "DailyFunctionsApiCallLimit": 235_000, "DailyGenericStreamingApiEvents": 10_000, "DailyScratchOrgs": 6,
    "DailyStandardVolumePlatformEvents": 10_000, "DailyStreamingApiEvents": 10_000, "DailyWorkflowEmails": 1_000,
    "DataStorageMB": 1_024, "DurableStreamingApiConcurrentClients": 20, "FileStorageMB": 1_024,
    "HourlyAsyncReportRuns": 1_200, "HourlyDashboardRefreshes": 200, "HourlyDashboardResults": 5_000,
    "HourlyDashboardStatuses": 999_999_999, "HourlyLongTermIdMapping": 100_000, "HourlyODataCallout": 20_000,
    "HourlyPublishedPlatformEvents": 50_000, "HourlyPublishedStandardVolumePlatformEvents": 1_000,
    "HourlyShortTermIdMapping": 100_000, "HourlySyncReportRuns": 500, "HourlyTimeBasedWorkflow": 1_000,
    "MassEmail": 5_000, "Package2VersionCreates": 6, "Package2VersionCreatesWithoutValidation": 500,
    "SingleEmail": 5_000, "StreamingApiConcurrentClients": 20,
}  # fmt: skip
_DAILY_JOBS = 10_000


def show_limits(call: Call) -> Answer:
    """Answer GET /limits."""
    allocation = call.org.allocation
    jobs = len(call.org.jobs.all())
    body: dict[str, Any] = {name: {"Max": maximum, "Remaining": maximum} for name, maximum in _UNTOUCHED.items()}
    body["DailyApiRequests"] = {
        "Max": allocation.maximum,
        "Remaining": max(0, allocation.maximum - allocation.used()),
    }
    body["DailyBulkV2QueryJobs"] = {"Max": _DAILY_JOBS, "Remaining": max(0, _DAILY_JOBS - jobs)}
    body["PermissionSets"] = {"Max": 1_500, "Remaining": 1_500, "CreateCustom": {"Max": 1_000, "Remaining": 1_000}}
    return Answer(body=dict(sorted(body.items())))


def count_records(call: Call) -> Answer:
    """Answer GET /limits/recordCount; unknown names are dropped without a word, as Salesforce does."""
    asked = [name for name in call.params.get("sObjects", "").split(",") if name]
    objects = [call.org.catalogue.find(name) for name in asked] if asked else list(call.org.catalogue.objects.values())
    counts = []
    for each in objects:
        if each is None:
            continue
        present = ' AND NOT t."IsDeleted"' if each.field("IsDeleted") else ""
        seen = visible_sql("t", str(call.org.clock.milliseconds()))
        counted = call.org.database.rows(f'SELECT count(*) FROM "{each.name}" t WHERE {seen}{present}')
        counts.append({"count": counted[0][0], "name": each.name})
    return Answer(body={"sObjects": counts})

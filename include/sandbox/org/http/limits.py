"""The org's limits and record counts."""

from __future__ import annotations

from typing import Any

from include.sandbox.org.allocation import BULK_BATCHES
from include.sandbox.org.http.call import Answer, Call
from include.sandbox.org.store.tables import visible_sql

# Name -> maximum; nothing here uses them up.
_UNTOUCHED = {
    "ActiveScratchOrgs": 3, "AnalyticsExternalDataSizeMB": 40_960, "ConcurrentAsyncGetReportInstances": 200,
    "ConcurrentEinsteinDataInsightsStoryCreation": 5, "ConcurrentEinsteinDiscoveryStoryCreation": 2,
    "ConcurrentSyncReportRuns": 20, "ContentDistBandwidthLimitMB": 102_400, "ContentDistViewLimit": 50_000,
    "ContentPublicationLimit": 36_000, "DailyAnalyticsDataflowJobExecutions": 60,
    "DailyAnalyticsUploadedFilesSizeMB": 51_200, "DailyAsyncApexExecutions": 250_000, "DailyAsyncApexTests": 500,
    "DailyDeliveredPlatformEvents": 10_000, "DailyDurableGenericStreamingApiEvents": 10_000,
    "DailyDurableStreamingApiEvents": 10_000, "DailyEinsteinDataInsightsStoryCreation": 1_000,
    "DailyEinsteinDiscoveryOptimizationJobRuns": 25, "DailyEinsteinDiscoveryPredictAPICalls": 50_000,
    "DailyEinsteinDiscoveryPredictionsByCDC": 500_000, "DailyEinsteinDiscoveryStoryCreation": 100,
    "DailyFunctionsApiCallLimit": 235_000, "DailyGenericStreamingApiEvents": 10_000,
    "DailyMetadataRetrievesWithDependencies": 1_000, "DailyScratchOrgs": 6,
    "DailyStandardVolumePlatformEvents": 10_000, "DailyStreamingApiEvents": 10_000, "DailyWorkflowEmails": 1_000,
    "DurableStreamingApiConcurrentClients": 20, "ExternalServicesActiveObjects": 600,
    "ExternalServicesActiveOperations": 300, "ExternalServicesObjectProperties": 1_000, "ExternalServicesObjects": 600,
    "ExternalServicesOperations": 300, "ExternalServicesRegistrations": 150, "FileStorageMB": 1_024,
    "HourlyAsyncReportRuns": 1_200, "HourlyDashboardRefreshes": 200, "HourlyDashboardResults": 5_000,
    "HourlyDashboardStatuses": 999_999_999, "HourlyLongTermIdMapping": 100_000,
    "HourlyManagedContentPublicRequests": 50_000, "HourlyODataCallout": 20_000,
    "HourlyPublishedPlatformEvents": 50_000, "HourlyPublishedStandardVolumePlatformEvents": 1_000,
    "HourlyShortTermIdMapping": 100_000, "HourlySyncReportRuns": 500, "HourlyTimeBasedWorkflow": 1_000,
    "MassEmail": 5_000, "MaxContentDocumentsLimit": 30_000_000, "MonthlyEinsteinDiscoveryStoryCreation": 500,
    "Package2VersionCreates": 6, "Package2VersionCreatesWithoutValidation": 500,
    "PlatformEventTriggersWithParallelProcessing": 5, "PrivateConnectOutboundCalloutHourlyLimitMB": 0,
    "ScheduledFlowRunLimit": 250_000, "ScheduledPathRunLimit": 250_000, "SingleEmail": 5_000,
    "StreamingApiConcurrentClients": 20,
}  # fmt: skip
_DATA_STORAGE = 51_200
_RECORD_KILOBYTES = 2  # what nearly every record counts as, however much it holds
_SINCE = {
    "DailyAsyncApexTests": 56.0,
    "DailyFunctionsApiCallLimit": 53.0,
    "DailyMetadataRetrievesWithDependencies": 64.0,
}
_BATCHES_RENAMED = 49.0  # the allocation of Bulk batches was called DailyBulkApiRequests before


def show_limits(call: Call) -> Answer:
    """Answer GET /limits: all that a current org lists, apps with calls of their own nested."""
    allocation = call.org.allocation
    version = float(call.version)
    body: dict[str, Any] = {
        name: {"Max": maximum, "Remaining": maximum}
        for name, maximum in _UNTOUCHED.items()
        if version >= _SINCE.get(name, 0)
    }
    body["DailyApiRequests"] = _entry(allocation.maximum, allocation.maximum - allocation.used())
    for app in allocation.apps():
        quota = allocation.quotas.get(app, 0)
        if app in allocation.others() or quota:
            body["DailyApiRequests"][app] = _entry(quota, quota - allocation.used_by(app))
    for name, maximum in allocation.maxima.items():
        old = name == BULK_BATCHES and version < _BATCHES_RENAMED
        body["DailyBulkApiRequests" if old else name] = _entry(maximum, allocation.remaining(name))
    body["DataStorageMB"] = _entry(_DATA_STORAGE, _DATA_STORAGE - _records(call) * _RECORD_KILOBYTES // 1_024)
    body["PermissionSets"] = {**_entry(1_500, 1_498), "CreateCustom": _entry(1_000, 998)}
    return Answer(body=dict(sorted(body.items())))


def _entry(maximum: int, remaining: int) -> dict[str, Any]:
    return {"Max": maximum, "Remaining": max(0, remaining)}


def _records(call: Call) -> int:
    """Return how many records the org holds, from the store's own summaries."""
    return sum(call.org.database.rows(f'SELECT count(*) FROM "{name}"')[0][0] for name in call.org.catalogue.objects)


def count_records(call: Call) -> Answer:
    """Answer GET /limits/recordCount; unknown names are dropped without a word, as Salesforce does."""
    asked = [name for name in call.params.get("sObjects", "").split(",") if name]
    objects = [call.org.catalogue.find(name) for name in asked] if asked else list(call.org.catalogue.objects.values())
    counts = []
    for each in objects:
        if each is None:
            continue
        present = ' AND NOT t."IsDeleted"' if each.field("IsDeleted") else ""
        present += ' AND t."IsArchived" IS NOT TRUE' if each.field("IsArchived") else ""
        seen = visible_sql("t", str(call.org.clock.milliseconds()))
        counted = call.org.database.rows(f'SELECT count(*) FROM "{each.name}" t WHERE {seen}{present}')
        counts.append({"count": counted[0][0], "name": each.name})
    return Answer(body={"sObjects": counts})

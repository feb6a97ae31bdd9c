"""Jobs of the older Bulk API and their batches, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ENDED = frozenset({"Completed", "Failed", "NotProcessed"})
QUERIES = frozenset({"query", "queryAll"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Hold one batch: a query, a range of one, or records; `split` says that others do its work."""

    id: str
    job_id: str
    created: float
    changed: float
    state: str = "Queued"
    message: str = ""
    processed: int = 0
    failed: int = 0
    milliseconds: int = 0
    query: str = ""
    low: int | None = None
    high: int | None = None
    split: bool = False

    @property
    def result_id(self) -> str:
        """Return the Id of the batch's one result."""
        return f"752{self.id[3:15]}"

    def facts(self) -> dict[str, Any]:
        """Return what the API tells of the batch, in the order of its XML."""
        message = {"stateMessage": self.message} if self.message else {}
        return {
            "id": self.id,
            "jobId": self.job_id,
            "state": self.state,
            **message,
            "createdDate": self.created,
            "systemModstamp": self.changed,
            "numberRecordsProcessed": self.processed,
            "numberRecordsFailed": self.failed,
            "totalProcessingTime": self.milliseconds,
            "apiActiveProcessingTime": self.milliseconds,
            "apexProcessingTime": 0,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicJob:
    """Hold one job; `chunk` is the size of its ranges of Ids, 0 when it isn't cut."""

    id: str
    operation: str
    object: str
    content: str
    version: str
    created_by: str
    created: float
    changed: float
    state: str = "Open"
    mode: str = "Parallel"
    external_id: str = ""
    assignment_rule: str = ""
    chunk: int = 0
    start_row: str = ""
    batches: tuple[Batch, ...] = ()

    @classmethod
    def read(cls, stored: dict[str, Any]) -> ClassicJob:
        """Return a job that was kept as JSON."""
        return cls(**{**stored, "batches": tuple(Batch(**each) for each in stored["batches"])})

    def batch(self, batch_id: str) -> Batch | None:
        """Return one of the job's batches by its 15- or 18-character Id, or None."""
        return next((each for each in self.batches if batch_id in (each.id, each.id[:15])), None)

    def facts(self) -> dict[str, Any]:
        """Return what the API tells of the job, in the order of its XML."""
        own = [each for each in self.batches if not each.split]
        states = [each.state for each in own]
        spent = sum(each.milliseconds for each in own)
        external = {"externalIdFieldName": self.external_id} if self.external_id else {}
        rule = {"assignmentRuleId": self.assignment_rule} if self.assignment_rule else {}
        return {
            "id": self.id,
            "operation": self.operation,
            "object": self.object,
            "createdById": self.created_by,
            "createdDate": self.created,
            "systemModstamp": self.changed,
            "state": self.state,
            **external,
            "concurrencyMode": self.mode,
            "contentType": self.content,
            **rule,
            "numberBatchesQueued": states.count("Queued"),
            "numberBatchesInProgress": states.count("InProgress"),
            "numberBatchesCompleted": states.count("Completed"),
            "numberBatchesFailed": states.count("Failed"),
            "numberBatchesTotal": len(own),
            "numberRecordsProcessed": sum(each.processed for each in own),
            "numberRetries": 0,
            "apiVersion": float(self.version),
            "numberRecordsFailed": sum(each.failed for each in own),
            "totalProcessingTime": spent,
            "apiActiveProcessingTime": spent,
            "apexProcessingTime": 0,
        }

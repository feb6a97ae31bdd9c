"""A call to the older Bulk API, and the job and batch that its path names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from include.sandbox.org.http.bulk1_bodies import AsyncError
from include.sandbox.org.jobs import Batch, ClassicJob
from include.sandbox.org.org import Org


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncCall:
    """Hold one request."""

    org: Org
    user_id: str
    version: str
    headers: Mapping[str, str]  # names in small letters
    body: bytes
    path: Mapping[str, str]

    def job(self) -> ClassicJob:
        """Return the job that the path names."""
        job = self.org.classic.find(self.path["job"])
        if job is None:
            raise AsyncError("InvalidJob", f"Unable to find object: jobId: {self.path['job']}")
        return job

    def batch(self) -> Batch:
        """Return the batch that the path names."""
        batch = self.job().batch(self.path["batch"])
        if batch is None:
            raise AsyncError("InvalidBatch", f"Unable to find object: batchId: {self.path['batch']}")
        return batch

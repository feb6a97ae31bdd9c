"""Compare all Ids of an object with the org, and mend what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from headwater.failures import waits_for_budget
from headwater.runs import airflow_run, chosen_objects, parameter
from include.config.budget import Work

if TYPE_CHECKING:
    from airflow.sdk import Context


class ReconcileObjectOperator(BaseOperator):
    """Find what increments cannot see (late, purged, recalculated records), so that both sides are equal afterwards.

    An object whose first load is not complete is skipped.

    :param org: name of the org's definition.
    :param sobject: API name of the object.
    :param accept_vanished: take up to so many records that are gone as deleted, whatever share they are; the run's
        parameter of this name overrides it.
    """

    template_fields: Sequence[str] = ("org", "sobject")
    ui_color = "#a5b4fc"

    def __init__(self, *, org: str, sobject: str, accept_vanished: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.org = org
        self.sobject = sobject
        self.accept_vanished = accept_vanished
        self._jobs: list[str] = []

    @waits_for_budget
    def execute(self, context: Context) -> dict[str, Any]:
        """Return what the comparison found, as counts."""
        from headwater.hooks import org_definition, salesforce_client, warehouse_engine
        from include.errors import NotReady
        from include.extract.comparison_words import in_words
        from include.extract.reconcile import reconcile_object

        org, run = org_definition(self.org), airflow_run(context)
        if self.sobject not in (chosen_objects(context, org) or {self.sobject}):
            raise AirflowSkipException(f"{self.sobject} was not chosen for this run")
        try:
            with salesforce_client(org, run, work=Work.BULK, purpose="reconcile") as client:
                found = reconcile_object(
                    warehouse_engine(),
                    client,
                    org,
                    self.sobject,
                    run=run,
                    accept_vanished=int(parameter(context, "accept_vanished", self.accept_vanished)),
                    on_job=self._jobs.append,
                )
        except NotReady as error:
            raise AirflowSkipException(str(error)) from error
        self.log.info("%s: %s", self.sobject, in_words(found))
        counts = asdict(found) | {"changed": found.changed}
        del counts["compared_at"]
        return counts

    def on_kill(self) -> None:
        """Abort the Bulk job that this task waits for, so that the org does not work for nobody."""
        from headwater.hooks import org_definition, salesforce_client

        with salesforce_client(org_definition(self.org), work=Work.INTERACTIVE) as client:
            for job_id in self._jobs[-1:]:
                client.bulk_abort(job_id, object=self.sobject)


class AnnounceChangesOperator(BaseOperator):
    """Update the asset of its outlets when tasks before it changed rows; skip when none did.

    :param of: task ids whose return value has a count ``changed``.
    """

    ui_color = "#93c5fd"

    def __init__(self, *, of: Sequence[str], **kwargs: Any) -> None:
        kwargs.setdefault("trigger_rule", "all_done")
        super().__init__(**kwargs)
        self.of = tuple(of)

    def execute(self, context: Context) -> int:
        """Return how many rows changed."""
        found = [context["ti"].xcom_pull(task_ids=each) for each in self.of]
        changed: int = sum(each["changed"] for each in found if each)
        if not changed:
            raise AirflowSkipException("no row changed")
        return changed

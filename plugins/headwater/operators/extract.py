"""Bring the changes of one object into the warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from headwater.failures import waits_for_budget
from headwater.runs import airflow_run, backfill_interval, chosen_mode, chosen_objects
from include.config.budget import Work

if TYPE_CHECKING:
    from airflow.sdk import Context

    from include.records import AirflowRun


class ExtractObjectOperator(BaseOperator):
    """Load one object's window: rows and cursor commit together; nothing to read is a skip with its reason.

    Works with a :class:`ProbeObjectsOperator` before it in the same run, and without one (it then probes itself).

    :param org: name of the org's definition.
    :param sobject: API name of the object.
    :param mode: as for the probe.
    """

    template_fields: Sequence[str] = ("org", "sobject")
    ui_color = "#bfdbfe"

    def __init__(self, *, org: str, sobject: str, mode: str = "changes", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.org = org
        self.sobject = sobject
        self.mode = mode
        self._run: AirflowRun | None = None

    @waits_for_budget
    def execute(self, context: Context) -> dict[str, Any]:
        """Return the counts of what was read and what became of it."""
        from headwater.hooks import definitions, org_definition, salesforce_client, warehouse_engine
        from include.extract.run import ExtractState, extract_object
        from include.extract.urgency import work_of

        org, engine, run = org_definition(self.org), warehouse_engine(), airflow_run(context)
        self._run = run
        if self.sobject not in (chosen_objects(context, org) or {self.sobject}):
            raise AirflowSkipException(f"{self.sobject} was not chosen for this run")
        mode = chosen_mode(context, self.mode)
        with salesforce_client(org, run, work=work_of(engine, org, self.sobject, mode)) as client:
            extracted = extract_object(
                engine,
                client,
                org,
                self.sobject,
                mode=mode,
                interval=backfill_interval(context),
                run=run,
                wait_for_lock=run.run_type != "scheduled",
                disk=definitions().housekeeping.disk,
            )
        if extracted.state in (ExtractState.IDLE, ExtractState.LOCKED):
            raise AirflowSkipException(extracted.message)
        self.log.info("%s: %s", self.sobject, extracted.message)
        return {"state": extracted.state.value, "plan": extracted.plan.value, **asdict(extracted.counts)}

    def on_kill(self) -> None:
        """Abort the Bulk job that this task waits for, so that the org does not work for nobody."""
        from headwater.hooks import org_definition, salesforce_client, warehouse_engine
        from include.extract.run import abort_extract

        org = org_definition(self.org)
        with salesforce_client(org, work=Work.INTERACTIVE) as client:
            abort_extract(warehouse_engine(), client, org, self.sobject, run=self._run)

"""Ask an org, in one call per five objects, what has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headwater.failures import waits_for_budget
from headwater.runs import airflow_run, backfill_interval, chosen_mode, chosen_objects

if TYPE_CHECKING:
    from airflow.sdk import Context


class ProbeObjectsOperator(BaseOperator):
    """Read the changes of up to five objects in one composite call; what is small has then arrived already.

    :param org: name of the org's definition.
    :param objects: API names of the objects to probe. The run's parameter ``objects`` narrows them.
    :param mode: ``changes``, ``last_day`` or ``full``; the run's parameter ``mode`` overrides it, a backfill reads
        its interval.
    """

    template_fields: Sequence[str] = ("org",)
    ui_color = "#dbeafe"

    def __init__(self, *, org: str, objects: Sequence[str], mode: str = "changes", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.org = org
        self.objects = tuple(objects)
        self.mode = mode

    @waits_for_budget
    def execute(self, context: Context) -> dict[str, int]:
        """Return how many records each object has in its window."""
        from headwater.hooks import org_definition, salesforce_client, warehouse_engine
        from include.extract.onboard import forecast_onboarding
        from include.extract.probe import probe_objects

        org, engine, run = org_definition(self.org), warehouse_engine(), airflow_run(context)
        chosen = chosen_objects(context, org) or set(self.objects)
        names = tuple(each for each in self.objects if each in chosen)
        with salesforce_client(org, run) as client:
            for forecast in forecast_onboarding(engine, client, org, names):
                self.log.info("first load of %s", forecast.in_words())
            result = probe_objects(
                engine,
                client,
                org,
                names,
                mode=chosen_mode(context, self.mode),
                interval=backfill_interval(context),
                run=run,
            )
        for each in result.objects:
            self.log.info("%s: %s records in the window, plan %s. %s", each.object, each.total, each.plan, each.problem)
        return {each.object: each.total for each in result.objects}

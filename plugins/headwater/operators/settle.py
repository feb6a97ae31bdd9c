"""Hear what became of the records that platforms took for later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from headwater.runs import now_utc

if TYPE_CHECKING:
    from airflow.sdk import Context


class SettlePushesOperator(BaseOperator):
    """Ask the open jobs of pushes once, record what they tell, and end push runs whose process is gone.

    It waits for nothing: a job that still works is asked again by the next run.

    :param pushes: names of the pushes; empty: all that wait for a platform's word.
    """

    template_fields: Sequence[str] = ("pushes",)
    ui_color = "#d8b4fe"

    def __init__(self, *, pushes: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pushes = tuple(pushes)

    def execute(self, context: Context) -> dict[str, int]:
        """Return how many records heard, how many jobs still work and how many runs were ended."""
        from headwater.hooks import definitions, destination, warehouse_engine
        from include.activation.jobs import settle_jobs
        from include.activation.settlement import bury_old_runs
        from include.activation.verdict import settle_runs
        from include.errors import HeadwaterError
        from include.warehouse.engine import transaction
        from include.warehouse.pushes.accepted import pushes_with_jobs

        engine, problems = warehouse_engine(), []
        buried = bury_old_runs(engine)
        with transaction(engine) as connection:
            waiting = [each for each in pushes_with_jobs(connection) if not self.pushes or each in self.pushes]
        records = jobs = 0
        for name in waiting:
            push = definitions().pushes.get(name)
            if push is None:
                self.log.warning("the push %s is defined no more: nobody can ask what became of its records", name)
                continue
            try:
                settled = settle_jobs(engine, name, destination(push), now=now_utc)
            except HeadwaterError as error:  # the other pushes are asked all the same
                problems.append(error)
                continue
            records, jobs = records + settled.records, jobs + settled.waiting
            if settled.problem:
                self.log.warning("%s: %s", name, settled.problem)
            problems += settle_runs(name, settled.runs, push.options)
        for problem in problems:
            self.log.error("%s", problem)
        if problems:
            raise problems[0]
        if not (waiting or buried):
            raise AirflowSkipException("nothing waits for a platform's word")
        return {"records": records, "jobs": jobs, "buried": buried}

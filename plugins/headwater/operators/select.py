"""Choose the records of a push."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headwater.runs import airflow_run, backfill_interval, parameter

if TYPE_CHECKING:
    from airflow.sdk import Context


class SelectProfilesOperator(BaseOperator):
    """Write down which records a run of a push is about, and whether a person must approve it.

    :param push: name of the push's definition.
    :param mode: ``changed`` since their last delivery, or ``all``; a backfill selects the records that its interval
        changed. The run's parameter overrides it.
    :param resend: send again what was delivered already, events included.
    :param record_ids: only these records (18-character Ids), e.g. one to try a mapping with.
    :param skip_hook: do not start journeys; here it decides whether a guard asks for approval.
    """

    template_fields: Sequence[str] = ("push",)
    ui_color = "#e9d5ff"

    def __init__(
        self,
        *,
        push: str,
        mode: str = "changed",
        resend: bool = False,
        record_ids: Sequence[str] = (),
        skip_hook: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.push = push
        self.mode = mode
        self.resend = resend
        self.record_ids = tuple(record_ids)
        self.skip_hook = skip_hook

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the run's id, its counts and the guard's reason, if one asks for approval."""
        from headwater.hooks import push_definition, warehouse_engine
        from include.activation.options import RunOptions, SelectMode
        from include.activation.select import select_push

        push, interval = push_definition(self.push), backfill_interval(context)
        mode = SelectMode.INTERVAL if interval else SelectMode(parameter(context, "mode", self.mode))
        selection = select_push(
            warehouse_engine(),
            push,
            mode=mode,
            interval=interval,
            resend=bool(parameter(context, "resend", self.resend)),
            record_ids=tuple(parameter(context, "record_ids", self.record_ids)),
            run=airflow_run(context),
            options=RunOptions(skip_hook=bool(parameter(context, "skip_hook", self.skip_hook))),
        )
        return asdict(selection)

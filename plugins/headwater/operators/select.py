"""Choose the records of a push."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headwater.runs import airflow_run, backfill_interval, parameter
from include.records import Window

if TYPE_CHECKING:
    from airflow.sdk import Context


class SelectProfilesOperator(BaseOperator):
    """Write down which records a run of a push is about, and whether a person must approve it.

    :param push: name of the push's definition.
    :param mode: ``changed`` since their last delivery, or ``all``; a backfill selects the records that its interval
        changed. The run's parameter overrides it.
    :param resend: send again what was delivered already, events included.
    :param record_ids: only these records (18-character Ids), e.g. one to try a mapping with.
    :param skip_hook: do not start journeys; here it decides whether a guard asks for approval. None: as defined.
    :param fast_fail: kept with the run, as the delivery's `batch_size` is. None: as defined.
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
        skip_hook: bool | None = None,
        fast_fail: bool | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.push = push
        self.mode = mode
        self.resend = resend
        self.record_ids = tuple(record_ids)
        self.skip_hook = skip_hook
        self.fast_fail = fast_fail
        self.batch_size = batch_size

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the run's id, its counts and the guard's reason, if one asks for approval."""
        from headwater.hooks import push_definition, warehouse_engine
        from include.activation.options import PushMode, options_of
        from include.activation.select import select_push

        push, interval = push_definition(self.push), backfill_interval(context)
        mode = PushMode.INTERVAL if interval else PushMode(parameter(context, "mode", self.mode))
        selection = select_push(
            warehouse_engine(),
            push,
            mode=mode,
            interval=Window(low=interval[0], high=interval[1]) if interval else None,
            resend=bool(parameter(context, "resend", self.resend)),
            record_ids=tuple(parameter(context, "record_ids", self.record_ids)),
            run=airflow_run(context),
            options=options_of(
                push,
                skip_hook=parameter(context, "skip_hook", self.skip_hook),
                fast_fail=parameter(context, "fast_fail", self.fast_fail),
                batch_size=parameter(context, "batch_size", self.batch_size),
            ),
        )
        self.log.info(
            "%s selected, %s unchanged, %s to send%s",
            f"{selection.selected:,}",
            f"{selection.unchanged:,}",
            f"{selection.to_send:,}",
            f"; approval needed: {selection.guard}" if selection.guard else "",
        )
        return asdict(selection)

"""Deliver profiles and events to a platform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headwater.runs import now_utc, parameter
from include.records import OutcomeCounts

if TYPE_CHECKING:
    from airflow.sdk import Context


class PushProfilesOperator(BaseOperator):
    """Map, compare, batch and send; every selected record ends in one outcome, and they add up.

    :param push: name of the push's definition.
    :param selection: what a :class:`SelectProfilesOperator` returned; None selects what changed, here.
    :param skip_hook: send the data without starting journeys at the platform.
    :param fast_fail: stop at the first batch with a failure; what was not sent is held.
    :param batch_size: most records in a request; the platform's limit in bytes holds besides.
    :param resend: send again what was delivered already, events included.

    The run's parameters of the same names override them.
    """

    template_fields: Sequence[str] = ("push", "selection")
    ui_color = "#d8b4fe"

    def __init__(
        self,
        *,
        push: str,
        selection: Any = None,
        skip_hook: bool = False,
        fast_fail: bool = False,
        batch_size: int = 1000,
        resend: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.push = push
        self.selection = selection
        self.skip_hook = skip_hook
        self.fast_fail = fast_fail
        self.batch_size = batch_size
        self.resend = resend

    def execute(self, context: Context) -> dict[str, int]:
        """Return how many records ended in each outcome; too many failures fail the task after all are recorded."""
        from headwater.hooks import destination, push_definition, warehouse_engine
        from include.activation.deliver import deliver_push
        from include.activation.options import options_of
        from include.activation.verdict import settle
        from include.warehouse.sync_errors import causes_of_run

        push = push_definition(self.push)
        options = options_of(
            push,
            skip_hook=parameter(context, "skip_hook", self.skip_hook),
            fast_fail=parameter(context, "fast_fail", self.fast_fail),
            batch_size=parameter(context, "batch_size", self.batch_size),
        )
        selection = self.selection or self._select(context)
        counts = deliver_push(
            warehouse_engine(),
            push,
            destination(push),
            run_id=selection["run_id"],
            skip_hook=options.skip_hook,
            fast_fail=options.fast_fail,
            batch_size=options.batch_size,
            resend=bool(parameter(context, "resend", self.resend)),
            now=now_utc,
            on_progress=lambda counts: self.log.info("so far: %s", in_words(counts)),
        )
        self.log.info("of %s selected records: %s", f"{counts.selected:,}", in_words(counts))
        if counts.failed:
            for each in causes_of_run(warehouse_engine(), selection["run_id"]):
                self.log.warning(
                    "%s %s: %s (%s), e.g. %s", f"{each.records:,}", each.outcome, each.cause, each.message, each.example
                )
        settle(counts, options)
        return asdict(counts)

    def _select(self, context: Context) -> dict[str, Any]:
        from headwater.operators.select import SelectProfilesOperator

        return SelectProfilesOperator(
            task_id=f"{self.task_id}_select",
            push=self.push,
            resend=self.resend,
            skip_hook=self.skip_hook,
            fast_fail=self.fast_fail,
            batch_size=self.batch_size,
        ).execute(context)


def in_words(counts: OutcomeCounts) -> str:
    """Return the outcomes that occurred, e.g. "7 delivered, 1,993 unchanged"."""
    found = {name: count for name, count in asdict(counts).items() if count and name != "selected"}
    return ", ".join(f"{count:,} {name}" for name, count in found.items()) or "none"

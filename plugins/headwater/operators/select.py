"""Choose the records of a push."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headwater.failures import says_why_it_failed
from headwater.push_parameters import options_of_run, push_of_run, take_options
from headwater.runs import airflow_run, backfill_interval, parameter
from include.records import Window

if TYPE_CHECKING:
    from airflow.sdk import Context


class SelectProfilesOperator(BaseOperator):
    """Write down which records a run of a push is about, and whether a person must approve it.

    :param push: name of the push's definition.
    :param mode: ``changed`` since their last delivery, or ``all``; a backfill selects the records that its interval
        changed. None: as defined.
    :param resend: send again what was delivered already, events included.
    :param record_ids: only these records (18-character Ids, or values of the source's key), e.g. one to try a mapping.
    :param kwargs: what the run does otherwise than the definition says: ``skip_hook``, ``fast_fail``, ``batch_size``,
        ``max_failed_share``, ``min_delivered``, ``approve_above``, ``unusual_factor``, ``max_gone_share``, ``dry_run``,
        ``phone_country``, ``invalid_identifiers``; the rest is Airflow's.

    The run's parameters of the same names override them.
    """

    template_fields: Sequence[str] = ("push",)
    ui_color = "#e9d5ff"

    def __init__(
        self,
        *,
        push: str,
        mode: str | None = None,
        resend: bool = False,
        record_ids: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        self.options = take_options(kwargs)
        super().__init__(**kwargs)
        self.push = push
        self.mode = mode
        self.resend = resend
        self.record_ids = tuple(record_ids)

    @says_why_it_failed
    def execute(self, context: Context) -> dict[str, Any]:
        """Return the run's id, its counts and the guard's reason, if one asks for approval."""
        from headwater.hooks import definitions, warehouse_engine
        from include.activation.options import PushMode
        from include.activation.select import select_push

        push, interval = push_of_run(context, self.push, self.options), backfill_interval(context)
        mode = PushMode(parameter(context, "mode", self.mode) or push.options.records)
        selection = select_push(
            warehouse_engine(),
            push,
            mode=PushMode.INTERVAL if interval else mode,
            interval=Window(low=interval[0], high=interval[1]) if interval else None,
            resend=bool(parameter(context, "resend", self.resend)),
            record_ids=tuple(parameter(context, "record_ids", self.record_ids)),
            run=airflow_run(context),
            options=options_of_run(context, push, self.options),
            neighbours=definitions().neighbours(push),
        )
        self.log.info(
            "%s selected, %s unchanged, %s to send, %s of them gone%s",
            *(f"{each:,}" for each in (selection.selected, selection.unchanged, selection.to_send, selection.gone)),
            f"; approval needed: {selection.guard}" if selection.guard else "",
        )
        return asdict(selection)

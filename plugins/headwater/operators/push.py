"""Deliver profiles and events to a platform."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator

from headwater.failures import says_why_it_failed
from headwater.push_parameters import options_of_run, push_of_run, take_options
from headwater.runs import now_utc, parameter, spare_collections
from include.errors import NotReady
from include.records import OutcomeCounts

if TYPE_CHECKING:
    from airflow.sdk import Context

    from headwater.stopping import StopWatch
    from include.activation.options import PushRunOptions
    from include.config.pushes import PushDefinition

_TELL_SECONDS = 5.0  # between two lines of the log that say how far a delivery is


class PushProfilesOperator(BaseOperator):
    """Map, compare, batch and send; every selected record ends in one outcome, and they add up.

    :param push: name of the push's definition.
    :param selection: what a :class:`SelectProfilesOperator` returned; None selects what changed, here.
    :param resend: send again what was delivered already, events included.
    :param kwargs: what the run does otherwise than the definition says: ``skip_hook``, ``fast_fail``, ``batch_size``,
        ``max_failed_share``, ``min_delivered``, ``approve_above``, ``unusual_factor``, ``max_gone_share``, ``dry_run``,
        ``compare``, ``phone_country``, ``invalid_identifiers``; the rest is Airflow's.

    The run's parameters of the same names override them.
    """

    template_fields: Sequence[str] = ("push", "selection")
    ui_color = "#d8b4fe"

    def __init__(
        self,
        *,
        push: str,
        selection: Any = None,
        resend: bool = False,
        **kwargs: Any,
    ) -> None:
        self.options = take_options(kwargs)
        super().__init__(**kwargs)
        self.push = push
        self.selection = selection
        self.resend = resend
        self._watch: StopWatch | None = None
        self._told_at = 0.0

    @says_why_it_failed
    def execute(self, context: Context) -> dict[str, int]:
        """Return how many records ended in each outcome; too many failures fail the task after all are recorded."""
        from headwater.hooks import push_definition
        from headwater.stopping import StopWatch
        from include.activation.verdict import settle

        watch = self._watch = StopWatch(push_definition(self.push))
        push = push_of_run(context, self.push, self.options)
        options = options_of_run(context, push, self.options)
        selection = self.selection or self._select(context)
        self._refuse_what_nobody_judged(selection, options)
        spare_collections()
        if options.dry_run:
            return self._only_try(push, options, selection["run_id"])
        resend = bool(parameter(context, "resend", self.resend))
        counts = self._deliver(push, options, selection["run_id"], resend=resend, stop_asked=watch)
        self._tell(counts, selection["run_id"])
        settle(counts, options)
        return asdict(counts)

    def on_kill(self) -> None:
        """Let the delivery stop between two batches; what is under way is recorded, the rest is held."""
        if self._watch is not None:
            self._watch.stop("its task was ended in Airflow")

    def _tell_now_and_then(self, counts: OutcomeCounts) -> None:
        now = time.monotonic()
        if now - self._told_at >= _TELL_SECONDS:
            self._told_at = now
            self.log.info("so far: %s", in_words(counts))

    def _select(self, context: Context) -> dict[str, Any]:
        from headwater.operators.select import SelectProfilesOperator

        select = SelectProfilesOperator(
            task_id=f"{self.task_id}_select", push=self.push, resend=self.resend, **self.options
        )
        return select.execute(context)

    @property
    def is_asked_before(self) -> bool:
        """Return whether a task before this one asks a person."""
        from airflow.providers.standard.operators.hitl import ApprovalOperator

        if self.selection is None or not self.has_dag():
            return False
        return any(isinstance(each, ApprovalOperator) for each in self.get_flat_relatives(upstream=True))

    def _refuse_what_nobody_judged(self, selection: dict[str, Any], options: PushRunOptions) -> None:
        """Hold a selection whose guard asks for an approval that no task waited for, or judged fewer journeys.

        Raises:
            NotReady: it was held; the message says how the DAG is to be mended.
        """
        if selection["guard"] and not self.is_asked_before:
            self._refuse(
                selection,
                cause="approval needed",
                why=f"{selection['guard']} Nobody was asked: put SelectProfilesOperator and ApprovePushOperator before"
                " this task",
            )
        if selection.get("skip_hook") and not (options.skip_hook or options.dry_run):
            self._refuse(
                selection,
                cause="skip hook differs",
                why="the records were selected with skip_hook on, so that no guard judged how many journeys would"
                " start, and are to be delivered with it off: give both tasks the same",
            )

    def _refuse(self, selection: dict[str, Any], *, cause: str, why: str) -> NoReturn:
        """Hold what may not be sent as this task stands."""
        from headwater.hooks import warehouse_engine
        from include.activation.deliver import hold_push

        hold_push(warehouse_engine(), run_id=selection["run_id"], cause=cause)
        raise NotReady(f"{why}. Nothing was sent")

    def _deliver(
        self, push: PushDefinition, options: PushRunOptions, run_id: int, *, resend: bool, stop_asked: StopWatch
    ) -> OutcomeCounts:
        from headwater.hooks import circuit, destination, parallel_sends, warehouse_engine
        from include.activation.deliver import deliver_push

        return deliver_push(
            warehouse_engine(),
            push,
            destination(push, compare=options.compare),
            run_id=run_id,
            skip_hook=options.skip_hook,
            fast_fail=options.fast_fail,
            batch_size=options.batch_size,
            resend=resend,
            parallel=parallel_sends(push),
            circuit=circuit(push.destination.platform, push.destination.connection, user=push.push),
            stop_asked=stop_asked,
            now=now_utc,
            on_progress=self._tell_now_and_then,
        )

    def _tell(self, counts: OutcomeCounts, run_id: int) -> None:
        """Say in the log what became of the records, and why some did not arrive."""
        from headwater.hooks import warehouse_engine
        from include.warehouse.pushes.sync_errors import causes_of_run

        self.log.info("of %s selected records: %s", f"{counts.selected:,}", in_words(counts))
        if counts.failed:
            for each in causes_of_run(warehouse_engine(), run_id):
                self.log.warning(
                    "%s %s: %s (%s), e.g. %s", f"{each.records:,}", each.outcome, each.cause, each.message, each.example
                )

    def _only_try(self, push: PushDefinition, options: PushRunOptions, run_id: int) -> dict[str, int]:
        from headwater.hooks import destination, warehouse_engine
        from include.activation.preview import dry_run_push

        tried = dry_run_push(warehouse_engine(), push, destination(push), run_id=run_id, options=options, now=now_utc())
        self.log.info("%s", tried.words)
        return asdict(tried.counts)


def in_words(counts: OutcomeCounts) -> str:
    """Return the outcomes that occurred, e.g. "7 delivered, 1,993 unchanged"."""
    found = {name: count for name, count in asdict(counts).items() if count and name != "selected"}
    return ", ".join(f"{count:,} {name}" for name, count in found.items()) or "none"

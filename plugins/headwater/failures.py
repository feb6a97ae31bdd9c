"""Say what becomes of a task that cannot go on: it fails with our own words, or it waits for its org's budget."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from headwater.runs import FAILURE_KEY
from include.errors import BudgetPaused, HeadwaterError

if TYPE_CHECKING:
    from airflow.sdk import Context

Execute = TypeVar("Execute", bound=Callable[..., Any])


def says_why_it_failed(execute: Execute) -> Execute:
    """Leave our own words about a failure to the tasks after it; they hold no secret and no person's data."""

    @wraps(execute)
    def wrapped(self: Any, context: Context) -> Any:
        try:
            return execute(self, context)
        except HeadwaterError as error:
            task_instance = context.get("ti")
            if task_instance is not None:
                task_instance.xcom_push(key=FAILURE_KEY, value=f"{type(error).__name__}: {error}")
            raise

    return wrapped  # type: ignore[return-value]


def waits_for_budget(execute: Execute) -> Execute:
    """Turn a budget pause into a deferral to its end: the task waits without a worker and without spending a try."""
    says_why = says_why_it_failed(execute)

    @wraps(execute)
    def wrapped(self: Any, context: Context, event: Any = None) -> Any:
        try:
            return says_why(self, context)
        except BudgetPaused as pause:
            from airflow.providers.standard.triggers.temporal import DateTimeTrigger

            from headwater.telling import tell_of_pause

            tell_of_pause(self, context, pause)
            self.log.info("%s; waiting until %s", pause, pause.until.isoformat())
            self.defer(trigger=DateTimeTrigger(moment=pause.until), method_name="execute")

    return wrapped  # type: ignore[return-value]

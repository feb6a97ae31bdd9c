"""Tell people what a run changed for the worse, or for the better again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

if TYPE_CHECKING:
    from airflow.sdk import Context


class NotifyOperator(BaseOperator):
    """Send what is new over the channels of the org's definition; the same trouble of the next run is no news.

    Belongs behind all other tasks and beside a :class:`RunVerdictOperator`, so that it does not decide the run's state.

    :param org: name of the org's definition.
    :param kind: what the DAG does: ``extract``, ``reconcile``, ``health`` or ``push``.
    :param subjects: what it does it for: objects, ``assessment``, or the push's name.
    """

    template_fields: Sequence[str] = ("org",)
    ui_color = "#fecaca"

    def __init__(self, *, org: str, kind: str, subjects: Sequence[str], **kwargs: Any) -> None:
        kwargs.setdefault("trigger_rule", "all_done")
        super().__init__(**kwargs)
        self.org = org
        self.kind = kind
        self.subjects = tuple(subjects)

    def execute(self, context: Context) -> dict[str, int]:
        """Return how much began, is over and was sent; skip when nothing changed."""
        from headwater.telling import tell_of_run

        told = tell_of_run(self.org, context, kind=self.kind, subjects=self.subjects)
        for problem in told.problems:
            self.log.error("%s", problem)
        if told.problems:
            raise told.problems[0]
        if not (told.began or told.over or told.messages):
            raise AirflowSkipException("nothing changed that people want to know")
        return {"began": told.began, "over": told.over, "messages": told.messages}

"""Tell the owners of records of their own new findings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from headwater.runs import now_utc

if TYPE_CHECKING:
    from airflow.sdk import Context


class TellOwnersOperator(BaseOperator):
    """Send each owner one mail of the findings that are new since the last one.

    :param org: name of the org's definition; its ``health.owners`` says how.
    """

    template_fields: Sequence[str] = ("org",)
    ui_color = "#fecaca"

    def __init__(self, *, org: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.org = org

    def execute(self, context: Context) -> dict[str, int]:
        """Return how many mails went out; fail when one was not taken, skip when there was none."""
        from headwater.hooks import airflow_url, checks, messenger, org_definition, warehouse_engine
        from include.notifications.tell_owners import tell_owners

        org, engine = org_definition(self.org), warehouse_engine()
        told = tell_owners(engine, org, checks(), messenger=messenger, now=now_utc(), airflow_url=airflow_url())
        if told.unreachable:
            self.log.warning("%s owners can't be told; name a fallback in health.owners", told.unreachable)
        for problem in told.problems:
            self.log.error("%s", problem)
        if told.problems:
            raise told.problems[0]
        if not told.mails:
            raise AirflowSkipException(f"no owner has to be told now; {told.waiting} wait for a later mail")
        return {"mails": told.mails, "findings": told.findings, "waiting": told.waiting}

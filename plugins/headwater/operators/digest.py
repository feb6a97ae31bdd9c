"""Sum up a week in a mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from headwater.runs import airflow_run, now_utc, parameter

if TYPE_CHECKING:
    from airflow.sdk import Context


class SendDigestOperator(BaseOperator):
    """Send the digest of the newest period that is over, unless it was sent.

    The run's parameter ``until_now`` sums up the time until now instead, whatever was sent.

    :param org: name of the org's definition.
    """

    template_fields: Sequence[str] = ("org",)
    ui_color = "#ddd6fe"

    def __init__(self, *, org: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.org = org

    def execute(self, context: Context) -> None:
        """Send it; skip when there is none to send."""
        from headwater.summing_up import send_org_digest

        again = airflow_run(context).dag_run_id or "now" if parameter(context, "until_now", False) else ""
        none = send_org_digest(self.org, now=now_utc(), again=again)
        if none:
            raise AirflowSkipException(none)

"""Judge the health of an org's records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headwater.runs import airflow_run, now_utc

if TYPE_CHECKING:
    from airflow.sdk import Context


class AssessHealthOperator(BaseOperator):
    """Run every check over the warehouse and keep grade, counts and all failing Ids.

    :param org: name of the org's definition.
    """

    template_fields: Sequence[str] = ("org",)
    ui_color = "#bbf7d0"

    def __init__(self, *, org: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.org = org

    def execute(self, context: Context) -> dict[str, Any]:
        """Return the grade and how many records have an issue."""
        from headwater.hooks import checks, org_definition, warehouse_engine
        from include.quality.assess import assess_org

        org = org_definition(self.org)
        found = assess_org(warehouse_engine(), org, checks(), now=now_utc(), run=airflow_run(context))
        return {
            "assessment_id": found.assessment_id,
            "grade": found.grade,
            "records": found.records,
            "records_with_issue": found.records_with_issue,
        }

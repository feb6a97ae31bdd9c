"""Judge the health of an org's records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

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
        """Return the grade and how many records have an issue; skip while nothing has been extracted."""
        from headwater.hooks import checks, org_definition, warehouse_engine
        from include.quality.assess import assess_org
        from include.warehouse.engine import transaction
        from include.warehouse.extracts.cursors import anything_loaded

        org, engine = org_definition(self.org), warehouse_engine()
        with transaction(engine) as connection:
            loaded = anything_loaded(connection, org.org)
        if not loaded:
            raise AirflowSkipException(f"nothing has been extracted yet; run {org.org}_extract first")
        found = assess_org(engine, org, checks(), now=now_utc(), run=airflow_run(context))
        self.log.info(
            "%s of %s records have no issue (assessment %s)",
            f"{found.records - found.records_with_issue:,}",
            f"{found.records:,}",
            found.assessment_id,
        )
        return {
            "assessment_id": found.assessment_id,
            "grade": found.grade,
            "records": found.records,
            "records_with_issue": found.records_with_issue,
        }

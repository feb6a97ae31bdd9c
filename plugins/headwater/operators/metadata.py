"""Ask an org, between extracts, what its administrators changed and what was deleted for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headwater.failures import waits_for_budget
from headwater.runs import airflow_run

if TYPE_CHECKING:
    from airflow.sdk import Context


class DescribeObjectsOperator(BaseOperator):
    """Let the warehouse follow changed fields as the org's policy says; one call for each 25 objects.

    :param org: name of the org's definition.
    """

    template_fields: Sequence[str] = ("org",)
    ui_color = "#ddd6fe"

    def __init__(self, *, org: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.org = org

    @waits_for_budget
    def execute(self, context: Context) -> dict[str, int]:
        """Return how many fields of each object changed."""
        from headwater.hooks import org_definition, salesforce_client, warehouse_engine
        from include.extract.metadata import read_metadata, refuse_problems
        from include.warehouse.personal.content import sample_stale_contents

        org, run = org_definition(self.org), airflow_run(context)
        with salesforce_client(org, run) as client:
            news = read_metadata(warehouse_engine(), client, org)
        for name in sample_stale_contents(warehouse_engine(), org.org):
            self.log.info("%s: looked at a sample of its values, for the page Fields", name)
        for each in news:
            words = "a run reads it now, the next one follows" if each.busy else each.problem or ""
            self.log.info("%s: %s fields changed. %s", each.object, each.changes, words)
        refuse_problems(news)
        return {each.object: each.changes for each in news}


class FollowDeletionsOperator(BaseOperator):
    """Mark what the org deleted for good, so that it does not stay here until the night.

    :param org: name of the org's definition.
    """

    template_fields: Sequence[str] = ("org",)
    ui_color = "#c4b5fd"

    def __init__(self, *, org: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.org = org

    @waits_for_budget
    def execute(self, context: Context) -> dict[str, int]:
        """Return how many deletions the org told, and how many rows changed because of them."""
        from headwater.hooks import org_definition, salesforce_client, warehouse_engine
        from include.extract.deletions import follow_deletions

        org, run = org_definition(self.org), airflow_run(context)
        with salesforce_client(org, run) as client:
            found = follow_deletions(warehouse_engine(), client, org, run=run)
        for each in found:
            if each.message:
                self.log.info("%s: %s", each.object, each.message)
        return {"told": sum(each.told for each in found), "changed": sum(each.changed for each in found)}

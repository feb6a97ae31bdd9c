"""Compare what we hold with what the org holds, and tell the rest of the house that rows changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowSkipException

from headwater.failures import waits_for_budget
from headwater.runs import airflow_run

if TYPE_CHECKING:
    from airflow.sdk import Context


class CertifyExtractOperator(BaseOperator):
    """Count, here and in the org, the objects that this run changed; skip (and emit no asset) when none did.

    :param org: name of the org's definition.
    :param objects: API names of the objects that the run may have changed.
    """

    template_fields: Sequence[str] = ("org",)
    ui_color = "#93c5fd"

    def __init__(self, *, org: str, objects: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.org = org
        self.objects = tuple(objects)

    @waits_for_budget
    def execute(self, context: Context) -> dict[str, dict[str, int]]:
        """Return rows here, rows in the org and their difference, for each object that changed."""
        from headwater.hooks import org_definition, salesforce_client, warehouse_engine
        from include.extract.certify import certify_objects

        org, run = org_definition(self.org), airflow_run(context)
        with salesforce_client(org, run) as client:
            written = certify_objects(warehouse_engine(), client, org, self.objects, run=run)
        if not written:
            raise AirflowSkipException("no row changed; the last certificates stay")
        for each in written:
            self.log.info(
                "%s: %s here, %s in the org, as of %s. %s", each.object, each.here, each.in_org, each.as_of, each.note
            )
        return {each.object: {"here": each.here, "org": each.in_org, "difference": each.difference} for each in written}

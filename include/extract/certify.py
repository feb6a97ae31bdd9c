"""Compare what the warehouse holds with what the org holds, after a run that changed something."""

from __future__ import annotations

from sqlalchemy import Engine

from include.config.orgs import OrgDefinition
from include.records import AirflowRun
from include.salesforce.client import SalesforceClient
from include.warehouse.certificates import Certificate


def certify_objects(
    engine: Engine, client: SalesforceClient, org: OrgDefinition, objects: tuple[str, ...], run: AirflowRun
) -> list[Certificate]:
    """Count the objects that this DAG run changed, here and in the org, and keep the comparison.

    Objects of which nothing changed keep their last certificate and cost no call.
    """
    raise NotImplementedError

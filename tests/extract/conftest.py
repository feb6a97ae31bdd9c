"""An org whose clock and faults the test decides, and a desk from which it is extracted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, text

from include.config.orgs import OrgDefinition
from include.extract.certify import certify_objects
from include.extract.probe import ProbeResult, probe_objects
from include.extract.reconcile import reconcile_object
from include.extract.run import Extracted, extract_object
from include.records import AirflowRun, RunMode
from include.salesforce.client import SalesforceClient
from include.warehouse.calls.meter import WarehouseMeter
from include.warehouse.calls.sessions import WarehouseTokens
from include.warehouse.engine import transaction
from include.warehouse.extracts.certificates import Certificate
from include.warehouse.extracts.reconciliations import Reconciliation
from tests.extract.small_org import SmallOrg, running_org


@dataclass(slots=True)
class Desk:
    """Run extracts of the small org as Airflow would, one DAG run after another."""

    org: SmallOrg
    warehouse: Engine
    definition: OrgDefinition
    runs: int = 0

    def next_run(self, run_type: str = "scheduled") -> AirflowRun:
        """Begin another DAG run."""
        self.runs += 1
        return self.same_run(run_type)

    def same_run(self, run_type: str = "scheduled", try_number: int = 1) -> AirflowRun:
        """Return the DAG run of last time, for a retry."""
        return AirflowRun(
            dag_id="main_extract", dag_run_id=f"run {self.runs}", task_id="t", try_number=try_number, run_type=run_type
        )

    def client(self, run: AirflowRun) -> SalesforceClient:
        """Return a client whose calls are metered to the run."""
        meter = WarehouseMeter(self.warehouse, "main", run=run.dag_run_id)
        tokens = WarehouseTokens(self.warehouse, encrypt=lambda text: text, decrypt=lambda text: text)
        return SalesforceClient(self.org.credentials(), meter=meter, tokens=tokens)

    def probe(
        self,
        run: AirflowRun,
        mode: RunMode = RunMode.CHANGES,
        interval: tuple[datetime, datetime] | None = None,
        objects: tuple[str, ...] | None = None,
    ) -> ProbeResult:
        """Run the first task of a DAG run."""
        with self.client(run) as client:
            names = objects or self.definition.all_objects
            return probe_objects(self.warehouse, client, self.definition, names, mode=mode, interval=interval, run=run)

    def extract_one(
        self,
        run: AirflowRun,
        object: str = "Contact",
        mode: RunMode = RunMode.CHANGES,
        interval: tuple[datetime, datetime] | None = None,
        *,
        wait: bool = True,
    ) -> Extracted:
        """Run the task of one object."""
        with self.client(run) as client:
            return extract_object(
                self.warehouse,
                client,
                self.definition,
                object,
                mode=mode,
                interval=interval,
                run=run,
                wait_for_lock=wait,
                sleep=lambda seconds: None,
            )

    def certify(self, run: AirflowRun) -> list[Certificate]:
        """Run the last task of a DAG run."""
        with self.client(run) as client:
            return certify_objects(self.warehouse, client, self.definition, self.definition.all_objects, run)

    def extract(
        self, mode: RunMode = RunMode.CHANGES, interval: tuple[datetime, datetime] | None = None
    ) -> dict[str, Extracted]:
        """Run a whole DAG run, every object's task."""
        run = self.next_run()
        self.probe(run, mode, interval)
        extracted = {name: self.extract_one(run, name, mode, interval) for name in self.definition.all_objects}
        self.certify(run)
        return extracted

    def reconcile(self, object: str = "Contact", *, accept: int = 0) -> Reconciliation:
        """Run the nightly task of one object."""
        run = self.next_run()
        with self.client(run) as client:
            return reconcile_object(
                self.warehouse,
                client,
                self.definition,
                object,
                run=run,
                accept_vanished=accept,
                sleep=lambda seconds: None,
            )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query in the warehouse."""
        with transaction(self.warehouse) as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def here(self, object: str = "Contact") -> dict[str, tuple[str, bool]]:
        """Return Id -> (LastName, deleted) as the warehouse has it."""
        found = self.rows(f'SELECT "Id", "LastName", _deleted_at IS NOT NULL FROM salesforce_main."{object}"')
        return {key: (name, gone) for key, name, gone in found}

    def there(self, object: str = "Contact") -> dict[str, tuple[str, bool]]:
        """Return the same as the org has it."""
        return {key: (each["LastName"], each["IsDeleted"]) for key, each in self.org.records[object].items()}

    def cursor(self, object: str = "Contact") -> datetime | None:
        """Return how far the object has been read."""
        [(at,)] = self.rows(f"SELECT cursor_at FROM headwater.object WHERE object = '{object}'")
        return at


@pytest.fixture
def desk(warehouse: Engine) -> Iterator[Desk]:
    """Yield a desk before an org with 30 contacts and 3 leads; more than 20 rows go by Bulk, 8 to a page."""
    with running_org() as org:
        org.add_object("Contact", LastName="string", Amount__c="currency", Visits__c="int")
        org.add_object("Lead", LastName="string")
        for number in range(30):
            org.put("Contact", number, LastName=f"Name {number}", IsDeleted=number == 7)
        for number in range(3):
            org.put("Lead", number, LastName=f"Lead {number}")
        org.bulk_page_rows = 8
        org.tick(hours=1)
        definition = OrgDefinition(org="main", connection="salesforce", objects=("Contact", "Lead"), bulk_above_rows=20)
        yield Desk(org=org, warehouse=warehouse, definition=definition)

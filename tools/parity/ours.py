"""Our own reader: the extract as the DAG runs it, into a real PostgreSQL, and the rows that it left there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Engine

from include.config.budget import Work
from include.config.orgs import OrgDefinition
from include.extract.certify import certify_objects
from include.extract.probe import probe_objects
from include.extract.reconcile import reconcile_object
from include.extract.run import extract_object
from include.records import AirflowRun, RunMode
from include.salesforce.auth import Credentials
from include.salesforce.client import SalesforceClient
from include.warehouse.calls.meter import WarehouseMeter
from include.warehouse.calls.sessions import WarehouseTokens
from include.warehouse.extracts.certificates import Certificate
from include.warehouse.extracts.reconciliations import Reconciliation

_AT_ONCE = 5  # objects of one probe


class Ours:
    """Extract the org of the peers, one DAG run after another."""

    def __init__(self, engine: Engine, credentials: Credentials, objects: Sequence[str]) -> None:
        self._engine, self._credentials, self._runs = engine, credentials, 0
        # A low bar for Bulk, so that first loads go by Bulk and changes by REST.
        self.org = OrgDefinition(org="parity", connection="none", objects=tuple(objects), bulk_above_rows=500)

    def extract(self) -> dict[str, int]:
        """Do a whole run of the extract and return how many rows it read of each object."""
        run = self._next_run()
        read: dict[str, int] = {}
        with self._client(run) as client:
            for start in range(0, len(self.org.objects), _AT_ONCE):
                names = self.org.objects[start : start + _AT_ONCE]
                probe_objects(self._engine, client, self.org, names, mode=RunMode.CHANGES, run=run)
            for name in self.org.objects:
                done = extract_object(
                    self._engine, client, self.org, name, mode=RunMode.CHANGES, run=run, wait_for_lock=True
                )
                read[name] = done.counts.read
        return read

    def certify(self) -> list[Certificate]:
        """Count both sides of the last run."""
        run = AirflowRun(dag_id="parity_extract", dag_run_id=f"run {self._runs}", task_id="certify", try_number=1)
        with self._client(run) as client:
            return certify_objects(self._engine, client, self.org, self.org.objects, run)

    def reconcile(self) -> list[Reconciliation]:
        """Compare every object Id by Id, as each night."""
        run = self._next_run()
        with self._client(run, Work.BULK) as client:
            return [reconcile_object(self._engine, client, self.org, name, run=run) for name in self.org.objects]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of an object as the warehouse has them."""
        query = sql.SQL("SELECT * FROM {}").format(sql.Identifier(self.org.schema_name, name))
        url = self._engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(query).fetchall()

    def _next_run(self) -> AirflowRun:
        self._runs += 1
        return AirflowRun(dag_id="parity_extract", dag_run_id=f"run {self._runs}", task_id="extract", try_number=1)

    def _client(self, run: AirflowRun, work: Work = Work.SYNC) -> SalesforceClient:
        return SalesforceClient(
            self._credentials,
            meter=WarehouseMeter(self._engine, self.org.org, run=run.dag_run_id, budget=self.org.budget, work=work),
            tokens=WarehouseTokens(self._engine, encrypt=lambda text: text, decrypt=lambda text: text),
        )

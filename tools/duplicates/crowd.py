"""The people of the sandbox org's generator, straight into a warehouse: its tables and rows, without an org to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path

from sqlalchemy import Engine

from include.records import AirflowRun, Describe, OrgIdentity
from include.salesforce.describe import read_describe
from include.sandbox.org.generator.recipe import Sizes
from include.sandbox.org.generator.run import recipes
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.describe import describe_object
from include.sandbox.org.store.database import Database
from include.warehouse.describes import keep_describe
from include.warehouse.engine import transaction
from include.warehouse.loading.load import finish_straight, load_rows
from include.warehouse.orgs import pin_org
from include.warehouse.runs import start_run
from include.warehouse.tables import Table, apply_describe, index_cursor, table_of

ORG = "crowd"
OBJECTS = ("Account", "Contact", "Lead")
TODAY = date(2026, 11, 2)
_CHUNK = 500_000
_BLOCK = 1 << 20


class Crowd:
    """Hold generated people in a file of the sandbox org's own kind."""

    def __init__(self, folder: Path, *, contacts: int, seed: int) -> None:
        self.folder = folder
        self.catalogue = Catalogue()
        self.database = Database(folder / "crowd.duckdb", self.catalogue)
        sizes = Sizes(contacts=contacts)
        self.counts = {name: sizes.counts[name] for name in OBJECTS}
        made = {each.object: each for each in recipes(seed, sizes)}
        for name in OBJECTS:
            for first in range(1, self.counts[name] + 1, _CHUNK):
                last = min(self.counts[name], first + _CHUNK - 1)
                with self.database.write() as cursor:
                    cursor.execute(made[name].insert_sql(self.catalogue.objects[name], TODAY, first, last))

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    def describe(self, name: str) -> Describe:
        """Return an object's describe, as the org would give it."""
        return read_describe(describe_object(self.catalogue.objects[name], self.catalogue, "63.0"), None)

    def csv(self, name: str, condition: str = "TRUE") -> Callable[[], AbstractContextManager[Iterable[bytes]]]:
        """Return what opens records of an object as Bulk gives them: stored fields, and full names."""
        target = self.catalogue.objects[name]
        wanted = [f'"{each.name}"' for each in target.columns]
        full_name = target.field("Name")
        if full_name is not None and full_name.formula:
            wanted.append(f'{full_name.formula.format(t="t")} AS "Name"')
        path = self.folder / f"{name}.csv"
        stamp = "%Y-%m-%dT%H:%M:%S.000Z"
        self.database.rows(
            f'COPY (SELECT {", ".join(wanted)} FROM "{name}" AS t WHERE {condition} ORDER BY _n)'
            f" TO '{path}' (FORMAT csv, HEADER true, TIMESTAMPFORMAT '{stamp}')"
        )

        @contextmanager
        def opened() -> Iterator[Iterable[bytes]]:
            with path.open("rb") as file:
                yield iter(lambda: file.read(_BLOCK), b"")

        return opened


def settle_in(engine: Engine, crowd: Crowd) -> dict[str, Table]:
    """Bring the org and its objects into an empty warehouse, as a first extract leaves them; return the tables."""
    with transaction(engine) as connection:
        pin_org(
            connection,
            ORG,
            OrgIdentity(org_id="00D000000000001AAA", instance_url="", name="Crowd", is_sandbox=True),
        )
    return {name: _first_load(engine, crowd, name) for name in OBJECTS}


def load(engine: Engine, table: Table, source: Callable[[], AbstractContextManager[Iterable[bytes]]]) -> int:
    """Load records as an extract of changes does, and return its run."""
    with transaction(engine) as connection:
        run_id = start_run(connection, kind="extract", org=ORG, subject=table.object, run=AirflowRun())
        load_rows(connection, table, source, run_id=run_id)
    return run_id


def _first_load(engine: Engine, crowd: Crowd, name: str) -> Table:
    described = crowd.describe(name)
    table = table_of(ORG, f"salesforce_{ORG}", described)
    source = crowd.csv(name)
    with transaction(engine) as connection:
        keep_describe(connection, ORG, described)
        apply_describe(connection, table)
        run_id = start_run(connection, kind="extract", org=ORG, subject=name, run=AirflowRun())
        load_rows(connection, table, source, run_id=run_id, straight=True)
        finish_straight(connection, table)
        index_cursor(connection, table)
    return table

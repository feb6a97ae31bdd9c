"""The records of the sandbox org's generator, straight in a warehouse, without an org to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from include.records import AirflowRun, Describe, OrgIdentity, RowCounts, RunMode, Window
from include.salesforce.describe import read_describe
from include.sandbox.org.generator.run import generate
from include.sandbox.org.schema.catalogue import Catalogue
from include.sandbox.org.schema.describe import describe_object
from include.sandbox.org.schema.field import COMPOUND_TYPES, SObject
from include.sandbox.org.store.database import Database
from include.warehouse.describes import keep_describe
from include.warehouse.engine import quoted, transaction
from include.warehouse.extracts.cursors import move_cursor
from include.warehouse.extracts.ledger import add_to_extract
from include.warehouse.loading.load import finish_straight, load_rows
from include.warehouse.orgs import pin_org
from include.warehouse.runs import finish_run, start_run
from include.warehouse.tables import apply_describe, index_cursor, table_of

OBJECTS = ("Account", "Contact", "Lead", "Opportunity", "OpportunityContactRole", "Task", "Event", "User")
TODAY = date(2026, 11, 2)
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)  # the day for which the records were made, so that dates mean the same
_STAMP = "%Y-%m-%dT%H:%M:%S.000Z"
_BLOCK = 1 << 20
_RUN = AirflowRun(dag_id="generated")
# What an increment changes of a record: the field, and its new value.
_EDITS = {
    "Account": ("Website", "CASE WHEN \"Website\" IS NULL THEN 'www.new.example' END"),
    "Contact": ("Email", 'CASE WHEN "Email" IS NULL THEN lower("Id") || \'@example.com\' END'),
    "Lead": ("Email", 'CASE WHEN "Email" IS NULL THEN lower("Id") || \'@example.com\' END'),
    "Opportunity": ("Amount", 'CASE WHEN "Amount" IS NULL THEN 5 END'),
}


class GeneratedOrg:
    """Hold the generator's records in a file of the sandbox org's own kind; kept for the next time."""

    def __init__(self, folder: Path, *, contacts: int, seed: int = 1, say: Callable[[str], None] = lambda _: None):
        self.folder = folder
        self.catalogue = Catalogue()
        folder.mkdir(parents=True, exist_ok=True)
        made = folder / "made"
        path = folder / "records.duckdb"
        if not made.exists():
            path.unlink(missing_ok=True)
        self.database = Database(path, self.catalogue, memory="2GB")
        if not made.exists():
            generate(self.database, self.catalogue, contacts=contacts, seed=seed, today=TODAY, say=say)
            made.touch()

    def close(self) -> None:
        """Let go of the file."""
        self.database.close()

    def load_into(self, engine: Engine, org: str, objects: Sequence[str] = OBJECTS) -> None:
        """Bring the objects into an empty warehouse, as a first extract leaves them."""
        identity = OrgIdentity(org_id="00D000000000001AAA", instance_url="", name="Generated", is_sandbox=True)
        with transaction(engine) as connection:
            pin_org(connection, org, identity)
        for name in objects:
            self._load(engine, org, name)

    def planted(self, defect: int, object: str) -> set[str]:
        """Return the Ids of the records of an object that bear the bit of a planted defect."""
        rows = self.database.rows(f'SELECT "Id" FROM "{object}" WHERE (_defects & {defect}) <> 0')
        return {str(each) for (each,) in rows}

    def twins(self, defect: int, object: str) -> set[str]:
        """Return the Ids of the records that those of a planted defect double."""
        rows = self.database.rows(f'SELECT _twin FROM "{object}" WHERE (_defects & {defect}) <> 0')
        return {str(each) for (each,) in rows}

    def _load(self, engine: Engine, org: str, name: str) -> None:
        described = self._describe(name)
        table = table_of(org, f"salesforce_{org}", described)
        with transaction(engine) as connection:
            keep_describe(connection, org, described)
            apply_describe(connection, table)
            run_id = start_run(connection, kind="extract", org=org, subject=name, run=_RUN)
            counts = load_rows(connection, table, self._csv(name), run_id=run_id, straight=True)
            finish_straight(connection, table)
            index_cursor(connection, table)
            note_load(connection, run_id, org, name, counts, first=True)

    def _describe(self, name: str) -> Describe:
        """Return what the org would say of an object, without its compound fields."""
        target = self.catalogue.objects[name]
        described = read_describe(describe_object(target, self.catalogue, "63.0"), None)
        return replace(described, fields=tuple(each for each in described.fields if each.name in _values(target)))

    def _csv(self, name: str) -> Callable[[], AbstractContextManager[Iterable[bytes]]]:
        path = self.folder / f"{name}.csv"
        columns = ", ".join(f'{sql} AS "{each}"' for each, sql in _values(self.catalogue.objects[name]).items())
        self.database.rows(
            f'COPY (SELECT {columns} FROM "{name}" AS t ORDER BY _n)'
            f" TO '{path}' (FORMAT csv, HEADER true, TIMESTAMPFORMAT '{_STAMP}')"
        )

        @contextmanager
        def opened() -> Iterator[Iterable[bytes]]:
            with path.open("rb") as file:
                yield iter(lambda: file.read(_BLOCK), b"")
            path.unlink(missing_ok=True)

        return opened


def _values(target: SObject) -> dict[str, str]:
    """Return by field the expression of its value, stored or computed; `t` is the record."""
    computed = {
        each.name: each.formula.format(t="t")
        for each in target.fields
        if each.formula and each.type not in COMPOUND_TYPES and "{" not in each.formula.format(t="t")
    }
    return {each.name: f't."{each.name}"' for each in target.columns} | computed


def note_load(
    connection: Connection, run_id: int, org: str, object: str, counts: RowCounts, *, first: bool = False
) -> None:
    """Write down what a load changed, as an extract does in the transaction of its rows."""
    mode = RunMode.FULL if first else RunMode.CHANGES
    add_to_extract(
        connection, run_id, org, object, mode=mode, window=Window(low=None, high=NOW), plan="rest", counts=counts
    )
    move_cursor(connection, org, object, NOW)
    finish_run(connection, run_id, "success")


def change_share(engine: Engine, org: str, object: str, *, one_in: int, remainder: int) -> int:
    """Change one record in so many, as an increment does: a field is emptied or filled; return how many."""
    column, value = _EDITS[object]
    with transaction(engine) as connection:
        run_id = start_run(connection, kind="extract", org=org, subject=object, run=_RUN)
        changed = connection.execute(
            text(
                f"UPDATE {quoted(f'salesforce_{org}', object)} SET {quoted(column)} = {value}, _loaded_at = now(),"
                ' _run_id = :run_id WHERE abs(hashtext("Id")) % :one_in = :remainder'
            ),
            {"run_id": run_id, "one_in": one_in, "remainder": remainder},
        ).rowcount
        note_load(connection, run_id, org, object, RowCounts(read=changed, updated=changed))
    return changed

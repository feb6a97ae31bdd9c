"""A warehouse of the first release becomes one of today, with every row that was in it."""

from __future__ import annotations

from importlib import resources

import pytest
from sqlalchemy import Engine, text

from include.warehouse.engine import open_warehouse, transaction
from include.warehouse.migrate import migrate

FIRST_RELEASE = ("0001_core", "0002_health", "0003_activation")
ROWS = """
INSERT INTO headwater.org (org, org_id, instance_url) VALUES ('a', '00D000000000001EAA', 'https://a.example');
INSERT INTO headwater.run (kind, org, subject) VALUES ('extract', 'a', 'Contact'), ('push', 'a', 'p');
INSERT INTO headwater.object (org, object, cursor_at, first_loaded_at) VALUES ('a', 'Contact', now(), now());
INSERT INTO headwater.field (org, object, position, name, label, type) VALUES ('a', 'Contact', 1, 'Id', 'Id', 'id');
INSERT INTO headwater.extract (run_id, org, object, mode, high) VALUES (1, 'a', 'Contact', 'full', now());
INSERT INTO headwater.certificate (run_id, org, object, here, in_org, difference, as_of)
VALUES (1, 'a', 'Contact', 1, 1, 0, now());
INSERT INTO headwater.probe (org, dag_id, dag_run_id, object, mode, high, soql, total)
VALUES ('a', 'd', 'r', 'Contact', 'changes', now(), 'SELECT Id FROM Contact', 0);
INSERT INTO headwater.slice (run_id, org, object, mode, high, soql) VALUES (1, 'a', 'Contact', 'full', now(), '');
INSERT INTO headwater.reject (run_id, org, object, record_id, cause, source) VALUES (1, 'a', 'Contact', 'x', 'y', '{}');
INSERT INTO headwater.api_call (org, hour, purpose, calls) VALUES ('a', now(), 'extract', 3);
INSERT INTO headwater.api_limit (org, used, allowed) VALUES ('a', 3, 100);
INSERT INTO headwater.session (key, token) VALUES ('k', 'encrypted');
INSERT INTO headwater.assessment (org, assessed_at, records, records_with_issue) VALUES ('a', now(), 1, 0);
INSERT INTO headwater.finding VALUES ('a', 'c', 'Contact', '003', 1, NULL);
INSERT INTO headwater.push_run (run_id, org, push, object, platform, run_key, mode, skip_hook, fast_fail, batch_size,
                                resend, max_failed_share, selected, unchanged)
VALUES (2, 'a', 'p', 'Contact', 'x', '', 'changed', false, false, 1, false, 1, 1, 0);
INSERT INTO headwater.sent (push, record_id, row_hash, outcome, run_id) VALUES ('p', '003', 1, 'delivered', 2);
INSERT INTO headwater.outbox (event_key, push, record_id, run_id, request, event_name, event_at)
VALUES ('k', 'p', '003', 2, 1, 'e', now());
INSERT INTO headwater.sync_error (org, push, platform, object, record_id, outcome, cause, first_run_id, last_run_id)
VALUES ('a', 'p', 'x', 'Contact', '003', 'rejected', 'c', 2, 2)
"""


@pytest.fixture
def first_release(postgres_url: str, warehouse_url: str) -> Engine:
    """Return a warehouse as the first release left it, with rows in its ledgers."""
    folder = resources.files("include.warehouse") / "migrations"
    engine = open_warehouse(warehouse_url)
    with transaction(engine) as connection:
        connection.exec_driver_sql("DROP SCHEMA headwater CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA headwater")
        connection.exec_driver_sql("CREATE TABLE headwater.migration (name text PRIMARY KEY, applied_at timestamptz)")
        for name in FIRST_RELEASE:
            connection.exec_driver_sql((folder / f"{name}.sql").read_text(encoding="utf-8"))
            connection.execute(text("INSERT INTO headwater.migration VALUES (:name, now())"), {"name": name})
        connection.exec_driver_sql(ROWS)
    return engine


def shape(engine: Engine) -> dict[str, str]:
    """Return every column, index and constraint of the schema headwater, by name."""
    with transaction(engine) as connection:
        found = connection.execute(
            text(
                "SELECT 'column ' || table_name || '.' || column_name,"
                "       concat_ws(' ', data_type, is_nullable, column_default)"
                "  FROM information_schema.columns WHERE table_schema = 'headwater'"
                " UNION ALL SELECT 'index ' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'headwater'"
                " UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid)"
                "  FROM pg_constraint WHERE connamespace = 'headwater'::regnamespace"
            )
        )
        return {name: definition for name, definition in found if " migration" not in name}


def rows(engine: Engine) -> dict[str, list[dict[str, object]]]:
    with transaction(engine) as connection:
        tables = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'headwater' AND tablename <> 'migration'")
        ).scalars()
        return {
            table: list(connection.execute(text(f"SELECT to_jsonb(t) FROM headwater.{table} AS t")).scalars())
            for table in tables
        }


def test_the_first_release_becomes_todays(first_release: Engine, warehouse_url: str) -> None:
    """The same tables, columns, indexes and constraints as a fresh warehouse has; and no row is lost or changed."""
    before = rows(first_release)
    applied = migrate(first_release)
    after = rows(first_release)

    assert applied
    assert not set(applied) & set(FIRST_RELEASE)
    for table, found in before.items():
        assert len(after[table]) == len(found), table
        for old, new in zip(found, after[table], strict=True):
            assert old.items() <= new.items(), table
    assert sum(map(len, before.values())) == 19

    upgraded = shape(first_release)
    with transaction(first_release) as connection:
        connection.exec_driver_sql("DROP SCHEMA headwater CASCADE")
    migrate(first_release)
    assert shape(first_release) == upgraded


def test_upgrading_again_does_nothing(first_release: Engine) -> None:
    """Each migration is applied once, whoever asks."""
    migrate(first_release)
    assert migrate(first_release) == []


def test_a_migration_that_fails_leaves_the_old_schema(first_release: Engine) -> None:
    """All of it or nothing: the old release goes on."""
    with transaction(first_release) as connection:
        connection.exec_driver_sql("CREATE TABLE headwater.reconciliation (mine int)")
    before = shape(first_release)
    with pytest.raises(Exception, match="already exists"):
        migrate(first_release)
    assert shape(first_release) == before

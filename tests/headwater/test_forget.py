"""Forgetting an org or object: listed first, done once confirmed, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from headwater import hooks
from headwater.forget import main
from include.warehouse.belongings import leftovers
from include.warehouse.engine import transaction
from include.warehouse.locks import object_lock

ORGS = ("acme", "other")


@pytest.fixture
def kept(warehouse: Engine, warehouse_url: str, definitions: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Two orgs of two objects each, with rows in every ledger; `other` is defined, `acme` is no more."""
    (definitions / "orgs" / "other.yaml").write_text("org: other\nconnection: c\nobjects: [Contact]\n")
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(definitions))
    monkeypatch.setenv(
        "AIRFLOW_CONN_HEADWATER_WAREHOUSE", warehouse_url.replace("postgresql+psycopg://", "postgres://")
    )
    hooks.warehouse_engine.cache_clear()
    hooks.definitions.cache_clear()
    with transaction(warehouse) as connection:
        for org in ORGS:
            fill(connection, org)
    yield warehouse
    hooks.warehouse_engine().dispose()
    hooks.warehouse_engine.cache_clear()
    hooks.definitions.cache_clear()


OF_ORG = """
CREATE SCHEMA salesforce_@;
INSERT INTO headwater.org (org, org_id, instance_url) VALUES ('@', '00D', 'x');
INSERT INTO headwater.session (key, token) VALUES ('@', 't');
INSERT INTO headwater.api_limit (org, used, allowed) VALUES ('@', 1, 2);
INSERT INTO headwater.assessment (org, assessed_at, records, records_with_issue) VALUES ('@', now(), 1, 1);
INSERT INTO headwater.run (kind, org, subject) VALUES ('push', '@', 'p_@');
INSERT INTO headwater.push_run (run_id, org, push, object, platform, run_key, mode, skip_hook, fast_fail, batch_size,
                                resend, max_failed_share, selected, unchanged)
SELECT max(run_id), '@', 'p_@', 'Contact', 'x', '', 'changed', false, false, 1, false, 1, 1, 0 FROM headwater.run;
INSERT INTO headwater.sent (push, record_id, row_hash, outcome, run_id) VALUES ('p_@', 'r', 1, 'delivered', 1);
INSERT INTO headwater.outbox (event_key, push, record_id, run_id, request, event_name, event_at)
VALUES ('@', 'p_@', 'r', 1, 1, 'e', now())
"""
OF_OBJECT = """
CREATE TABLE salesforce_@."#" AS SELECT n AS "Id" FROM generate_series(1, 7) AS n;
INSERT INTO headwater.object (org, object, cursor_at) VALUES ('@', '#', now());
INSERT INTO headwater.field (org, object, position, name, label, type) VALUES ('@', '#', 1, 'Id', 'Id', 'id');
INSERT INTO headwater.run (kind, org, subject) VALUES ('extract', '@', '#');
INSERT INTO headwater.extract (run_id, org, object, mode, high)
SELECT max(run_id), '@', '#', 'full', now() FROM headwater.run;
INSERT INTO headwater.api_call (org, hour, purpose, object, calls) VALUES ('@', now(), 'x', '#', 1);
INSERT INTO headwater.finding VALUES ('@', 'c', '#', '#', 1, NULL)
"""


def fill(connection: Connection, org: str) -> None:
    connection.exec_driver_sql(OF_ORG.replace("@", org))
    for object in ("Contact", "Lead"):
        connection.exec_driver_sql(OF_OBJECT.replace("@", org).replace("#", object))


def everything(engine: Engine) -> dict[str, set[str]]:
    """Return every row of every table of ours, as text."""
    with transaction(engine) as connection:
        tables = connection.execute(
            text(
                "SELECT schemaname, tablename FROM pg_tables"
                " WHERE schemaname = 'headwater' OR schemaname LIKE 'salesforce_%'"
            )
        ).all()
        return {
            f"{schema}.{table}": set(
                connection.execute(text(f'SELECT to_jsonb(t)::text FROM {schema}."{table}" AS t')).scalars()
            )
            for schema, table in tables
        }


def typed(answer: str) -> object:
    return lambda _question: answer


def test_without_a_confirmation_nothing_goes(kept: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """The list is shown; another word than the name is no confirmation."""
    before = everything(kept)
    assert main(["acme"], ask=typed("yes")) == 1
    said = capsys.readouterr().out
    assert "salesforce_acme.Contact" in said
    assert "headwater.run" in said
    assert "dags delete" in said
    assert "nothing was dropped" in said
    assert everything(kept) == before


def test_an_org_goes_with_all_that_is_its_own_and_nothing_else(kept: Engine) -> None:
    """Rows that name it are gone, all others are as they were."""
    before = everything(kept)
    assert main(["acme"], ask=typed("acme")) == 0
    after = everything(kept)

    assert not any(name.startswith("salesforce_acme.") for name in after)
    assert before.keys() - after.keys() == {"salesforce_acme.Contact", "salesforce_acme.Lead"}
    assert after["headwater.session"] == before["headwater.session"]
    for table in after.keys() - {"headwater.session"}:
        gone = before[table] - after[table]
        assert after[table] <= before[table], table
        assert all("acme" in row for row in gone), table
        assert not any("acme" in row for row in after[table]), table


def test_an_object_goes_alone(kept: Engine) -> None:
    """Its table, cursor and runs; the org and its other object stay, pushes and calls too."""
    before = everything(kept)
    assert main(["acme", "Lead", "--yes"]) == 0
    after = everything(kept)

    assert before.keys() - after.keys() == {"salesforce_acme.Lead"}
    gone = {table: before[table] - after[table] for table in after if before[table] - after[table]}
    assert set(gone) == {f"headwater.{each}" for each in ("object", "field", "run", "extract", "finding")}
    assert all('"acme"' in row and '"Lead"' in row for rows in gone.values() for row in rows)


def test_what_a_run_works_on_is_not_dropped(kept: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """The run would fail in the middle."""
    before = everything(kept)
    with object_lock(kept, "acme", "Lead", wait=True):
        assert main(["acme", "--yes"]) == 1
    assert "a run works on Lead of acme now" in capsys.readouterr().err
    assert everything(kept) == before


def test_what_depends_on_our_tables_stops_it(kept: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """A view that somebody made is not ours to drop."""
    with transaction(kept) as connection:
        connection.exec_driver_sql('CREATE VIEW mine AS SELECT * FROM salesforce_acme."Lead"')
    before = everything(kept)
    assert main(["acme", "--yes"]) == 1
    assert "something that is not ours depends on" in capsys.readouterr().err
    assert everything(kept) == before


def test_what_is_still_defined_is_said_to_come_back(kept: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """Dropping it means reading and sending it again."""
    main(["other"], ask=typed(""))
    assert "It is still defined in orgs/other.yaml" in capsys.readouterr().out


def test_what_is_defined_no_more_is_left_over(kept: Engine) -> None:
    """An org as a whole, or an object of an org that is defined."""
    found = leftovers(kept, {"other": ("Contact",)})
    assert [(each.org, each.object) for each in found] == [("acme", ""), ("other", "Lead")]
    assert [each.command for each in found] == ["make forget ORG=acme", "make forget ORG=other OBJECT=Lead"]


@pytest.mark.parametrize("names", [[], ["a", "b", "c"], ["x; drop"], ["acme", "a b"]])
def test_names_that_are_none_are_refused(kept: Engine, names: list[str]) -> None:
    """Before anything is looked up."""
    assert main(names, ask=typed("")) == 2


def test_an_unknown_org_has_nothing_to_drop(kept: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    """A typo drops nothing."""
    assert main(["acne", "--yes"]) == 1
    assert "nothing is kept of the org acne" in capsys.readouterr().out

"""Pages stay fast whatever the warehouse holds: they scan no record table, and what lasts too long is broken off."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, event, text

from include.warehouse.engine import transaction

# What stands in an address for a part of it; a route with another part asks for a value here.
PARTS = {
    "name": "pages.css", "check_id": "email_missing", "form": "csv", "error_id": "1", "record_id": "003000000000004AAA",
    "object": "Contact", "push": "contacts", "document": "suite", "org": "demo", "assessment": "2", "run_id": "1",
    "cluster_id": "1",
}  # fmt: skip
TABLE = """
CREATE SCHEMA salesforce_demo;
CREATE TABLE salesforce_demo."Contact" (
    "Id" text PRIMARY KEY, "Email" text, "LastModifiedById" text, "SystemModstamp" timestamptz,
    _loaded_at timestamptz NOT NULL DEFAULT now(), _run_id bigint, _deleted_at timestamptz);
CREATE INDEX ON salesforce_demo."Contact" ("SystemModstamp");
INSERT INTO salesforce_demo."Contact"
SELECT '003' || lpad(n::text, 12, '0') || 'AAA', 'a@b.de', '005', now() FROM generate_series(1, 500) AS n;
INSERT INTO headwater.finding
SELECT 'demo', 'email_missing', 'Contact', '003' || lpad(n::text, 12, '0') || 'AAA', 2, NULL
  FROM generate_series(1000, 20000) AS n;
ANALYZE;
"""


@pytest.fixture
def plans(warehouse) -> Iterator[list[tuple[str, dict]]]:
    """Yield a list that fills with each SELECT of a page, and its plan were whole tables the last resort."""
    found: list[tuple[str, dict]] = []

    def explain(conn, cursor, statement, parameters, context, executemany):
        if executemany or not re.match(r"\s*(SELECT|WITH)", statement, re.I):
            return
        with conn.connection.driver_connection.cursor() as other:
            other.execute("SET LOCAL enable_seqscan = off")
            other.execute("EXPLAIN (FORMAT JSON) " + statement, parameters or None)
            (plan,) = other.fetchone()
            other.execute("SET LOCAL enable_seqscan = on")
        found.append((statement, plan[0]["Plan"] if not isinstance(plan, str) else json.loads(plan)[0]["Plan"]))

    event.listen(warehouse, "before_cursor_execute", explain)
    yield found
    event.remove(warehouse, "before_cursor_execute", explain)


def test_no_page_reads_a_record_table_as_a_whole(open_pages, warehouse, run, plans):
    """Nor the ledger of findings: each statement finds its rows by an index, or is bounded."""
    run("a_working_org.sql")
    with transaction(warehouse) as connection:
        connection.exec_driver_sql(TABLE)
    client = open_pages(lambda: warehouse, role="admin")
    asked = 0
    for address in addresses(client):
        plans.clear()
        client.get(f"/headwater{address}{'&' if '?' in address else '?'}org=demo")
        asked += len(plans)
        for statement, plan in plans:
            scanned = whole_tables(plan)
            assert not scanned & {"Contact", "finding", "outcome", "outbox"}, f"{address}: {statement}"
    assert asked > 50


def addresses(client) -> Iterator[str]:
    (mount,) = [route for route in client.app.routes if route.path == "/headwater"]
    for route in mount.app.routes:
        if "GET" in (getattr(route, "methods", None) or ()) and "/metrics" not in route.path:
            yield re.sub(r"{(\w+)(:\w+)?}", lambda part: PARTS[part[1]], route.path)
    yield from ("/health/issue/email_missing?q=0030", "/health/issue/email_missing?show=new", "/extracts?q=Contact")


def whole_tables(plan: dict) -> set[str]:
    """Return the tables that a plan reads from their first row to their last."""
    own = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else set()
    return own.union(*(whole_tables(each) for each in plan.get("Plans", ())))


def test_a_statement_that_lasts_too_long_is_broken_off_with_a_page(open_pages, warehouse, run):
    """The person is told, and what they may do; other pages still answer."""
    run("a_working_org.sql")
    client = open_pages(lambda: warehouse)
    (mount,) = [route for route in client.app.routes if route.path == "/headwater"]
    mount.app.state.page_seconds = 0.2
    with warehouse.connect() as keeping, keeping.begin():
        lock(keeping)
        answer = client.get("/headwater/health?org=demo")
    assert answer.status_code == 503
    assert "This page took too long" in answer.text
    assert answer.headers["retry-after"]
    assert client.get("/headwater/health?org=demo").status_code == 200


def test_what_changes_something_may_take_its_time(open_pages, warehouse, run):
    """A decision about a million errors is no page."""
    from headwater.ui.warehouse import impatient

    with transaction(impatient(warehouse, 0.2)) as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar() == "200ms"
    with transaction(warehouse) as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar() == "0"
    with transaction(impatient(warehouse, 0.3)) as connection:
        assert connection.execute(text("SHOW statement_timeout")).scalar() == "300ms"


def lock(connection: Connection) -> None:
    connection.exec_driver_sql("LOCK TABLE headwater.issue IN ACCESS EXCLUSIVE MODE")

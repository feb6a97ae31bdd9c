"""What is old goes, in batches; what is open, and what we go on from, stays whatever its age."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from include.config.housekeeping import HousekeepingDefinition
from include.warehouse.engine import transaction
from include.warehouse.housekeeping import sweep

OLD = "now() - interval '2000 days'"
LEDGERS = f"""
INSERT INTO headwater.object (org, object, cursor_at, first_loaded_at) VALUES ('a', 'Contact', {OLD}, {OLD});
INSERT INTO headwater.run (run_id, kind, org, subject, state, started_at, ended_at) OVERRIDING SYSTEM VALUE VALUES
  (1, 'extract', 'a', 'Contact', 'success', {OLD}, {OLD}),
  (2, 'extract', 'a', 'Contact', 'success', {OLD}, {OLD}),  -- holds an open slice
  (3, 'extract', 'a', 'Contact', 'success', {OLD}, {OLD}),  -- the newest of Contact
  (4, 'extract', 'a', 'Lead', 'success', {OLD}, {OLD}),     -- has a reject that is not settled
  (5, 'extract', 'a', 'Lead', 'success', now(), now()),
  (10, 'push', 'a', 'p', 'success', {OLD}, {OLD}),
  (11, 'push', 'a', 'p', 'success', {OLD}, {OLD}),          -- never settled
  (12, 'push', 'a', 'p', 'success', {OLD}, {OLD}),          -- an event's fate is unknown
  (13, 'push', 'a', 'p', 'success', {OLD}, {OLD});
INSERT INTO headwater.extract (run_id, org, object, mode, high, committed_at)
SELECT n, 'a', 'Contact', 'changes', {OLD}, {OLD} FROM generate_series(1, 3) AS n;
INSERT INTO headwater.slice (run_id, org, object, mode, high, soql, state)
VALUES (2, 'a', 'Contact', 'full', {OLD}, '', 'open'), (1, 'a', 'Contact', 'full', {OLD}, '', 'done');
INSERT INTO headwater.reject (run_id, org, object, record_id, cause, source, rejected_at)
VALUES (4, 'a', 'Lead', '00Q1', 'x', '{{}}', {OLD});
INSERT INTO headwater.certificate (run_id, org, object, here, in_org, difference, as_of, written_at)
SELECT 1, 'a', 'Contact', 1, 1, 0, {OLD}, {OLD} FROM generate_series(1, 250);
INSERT INTO headwater.push_run (run_id, org, push, object, platform, run_key, mode, skip_hook, fast_fail, batch_size,
                                resend, max_failed_share, selected, unchanged, selected_at, settled_at)
SELECT n, 'a', 'p', 'Contact', 'x', '', 'changed', false, false, 1, false, 1, 1, 0, {OLD},
       CASE WHEN n <> 11 THEN {OLD} END FROM generate_series(10, 13) AS n;
INSERT INTO headwater.selection SELECT n, 1, 'r' FROM generate_series(10, 13) AS n;
INSERT INTO headwater.outcome (run_id, record_id, outcome, at)
SELECT n, 'r', 'delivered', {OLD} FROM generate_series(10, 13) AS n;
INSERT INTO headwater.sent (push, record_id, row_hash, outcome, run_id, at)
VALUES ('p', 'r', 1, 'delivered', 10, {OLD});
INSERT INTO headwater.outbox (event_key, push, record_id, run_id, request, event_name, event_at, state, written_at,
                              settled_at)
SELECT state, 'p', 'r', run_id, 1, 'e', {OLD}, state, {OLD}, {OLD}
  FROM (VALUES ('delivered', 10), ('refused', 10), ('open', 11), ('accepted', 12), ('unknown', 12)) AS v(state, run_id);
INSERT INTO headwater.sync_error (org, push, platform, object, record_id, outcome, cause, first_run_id, last_run_id,
                                  first_at, last_at, settled_at)
SELECT 'a', 'p', 'x', 'Contact', 'r' || n, 'rejected', 'x', 13, 13, {OLD}, {OLD}, CASE WHEN n = 1 THEN {OLD} END
  FROM generate_series(1, 2) AS n;
INSERT INTO headwater.assessment (assessment_id, org, assessed_at, previous_id, records, records_with_issue)
OVERRIDING SYSTEM VALUE VALUES (1, 'a', {OLD}, NULL, 1, 1), (2, 'a', {OLD}, 1, 1, 1), (3, 'a', {OLD}, 2, 1, 1);
INSERT INTO headwater.finding VALUES
  ('a', 'c', 'Contact', 'mended before', 1, 2), ('a', 'c', 'Contact', 'mended now', 1, 3),
  ('a', 'c', 'Contact', 'open', 1, NULL);
INSERT INTO headwater.session (key, token, stored_at) VALUES ('k', 't', {OLD});
INSERT INTO headwater.api_call (org, hour, purpose, calls) VALUES ('a', {OLD}, 'x', 1), ('a', now(), 'x', 1);
INSERT INTO headwater.notification (org, key, event, title, raised_at, resolved_at)
VALUES ('a', 'over', 'e', 't', {OLD}, {OLD}), ('a', 'open', 'e', 't', {OLD}, NULL);
"""


@pytest.fixture
def old_ledgers(warehouse: Engine) -> Engine:
    with transaction(warehouse) as connection:
        for statement in LEDGERS.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    return warehouse


def kept(engine: Engine, table: str, column: str) -> list[object]:
    with transaction(engine) as connection:
        return list(connection.execute(text(f"SELECT {column} FROM headwater.{table} ORDER BY 1")).scalars())


def test_what_is_old_goes_and_what_is_open_stays(old_ledgers: Engine) -> None:
    """Of every ledger, by its own rule."""
    gone = sweep(old_ledgers, HousekeepingDefinition(batch_rows=100))

    assert gone == {
        "api_call": 1,
        "sync_error": 1,
        "outbox": 2,
        "selection": 3,
        "outcome": 2,
        "certificate": 249,
        "extract": 2,
        "assessment": 1,
        "finding": 1,
        "notification": 1,
        "run": 2,
    }
    assert kept(old_ledgers, "run", "run_id") == [2, 3, 4, 5, 11, 12, 13]
    assert kept(old_ledgers, "push_run", "run_id") == [11, 12, 13]
    assert kept(old_ledgers, "outbox", "state") == ["accepted", "open", "unknown"]
    assert kept(old_ledgers, "selection", "run_id") == [11]
    assert kept(old_ledgers, "outcome", "run_id") == [11, 13]
    assert kept(old_ledgers, "finding", "record_id") == ["mended now", "open"]
    assert kept(old_ledgers, "assessment", "assessment_id") == [2, 3]
    assert kept(old_ledgers, "sync_error", "record_id") == ["r2"]
    assert kept(old_ledgers, "reject", "record_id") == ["00Q1"]
    assert kept(old_ledgers, "notification", "key") == ["open"]
    assert kept(old_ledgers, "slice", "state") == ["open"]


@pytest.mark.parametrize("table", ["object", "sent", "session", "slice", "reject"])
def test_cursors_fingerprints_and_sessions_have_no_age(old_ledgers: Engine, table: str) -> None:
    """Without them something would be read, sent or signed in a second time."""
    before = kept(old_ledgers, table, f"to_jsonb({table})::text")
    sweep(old_ledgers, HousekeepingDefinition())
    left = kept(old_ledgers, table, f"to_jsonb({table})::text")
    assert [each for each in left if '"state": "done"' not in str(each)] == [
        each for each in before if '"state": "done"' not in str(each)
    ]


def test_a_second_sweep_finds_nothing(old_ledgers: Engine) -> None:
    """It can be repeated at any time."""
    sweep(old_ledgers, HousekeepingDefinition())
    assert sweep(old_ledgers, HousekeepingDefinition()) == {}


def test_null_keeps_a_ledger_for_ever(old_ledgers: Engine) -> None:
    """Where a law says so."""
    definition = HousekeepingDefinition.model_validate({"retention": {"certificates": None, "outbox": None}})
    assert {"certificate", "outbox"}.isdisjoint(sweep(old_ledgers, definition))


def test_a_schema_change_that_waits_for_a_person_stays(warehouse: Engine) -> None:
    """However long nobody decides; what was followed or overtaken goes."""
    with transaction(warehouse) as connection:
        connection.execute(
            text(
                "INSERT INTO headwater.schema_change (org, object, field, kind, state, seen_at)"
                f" SELECT 'a', 'Contact', state, 'added', state, {OLD}"
                " FROM unnest(ARRAY['followed', 'frozen', 'failed', 'overtaken']) AS state"
            )
        )
    assert sweep(warehouse, HousekeepingDefinition())["schema_change"] == 2
    with transaction(warehouse) as connection:
        left = connection.execute(text("SELECT state FROM headwater.schema_change ORDER BY state")).scalars().all()
    assert left == ["failed", "frozen"]

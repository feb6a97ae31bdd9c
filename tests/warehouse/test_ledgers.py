from __future__ import annotations

import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from include.errors import OrgChanged, WarehouseDown
from include.records import AirflowRun, Bounds, OrgIdentity, RowCounts, RunMode, Window
from include.warehouse.calls.meter import WarehouseMeter, calls_of_run
from include.warehouse.calls.sessions import WarehouseTokens
from include.warehouse.engine import transaction
from include.warehouse.extracts.cursors import Cursor, move_cursor, move_idle_cursor, read_cursor
from include.warehouse.extracts.ledger import add_to_extract, extracts_of
from include.warehouse.extracts.probes import Probe, drop_probe, keep_probe, read_probe
from include.warehouse.extracts.slices import (
    SliceCounts,
    advance_slice,
    close_slice,
    count_slices,
    forget_job,
    give_job,
    open_slice,
    open_slices,
    split_slice,
)
from include.warehouse.locks import object_lock
from include.warehouse.orgs import pin_org
from include.warehouse.runs import bury_runs, finish_run, start_run
from tests.warehouse.conftest import make_contact, new_run

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
RUN = AirflowRun(dag_id="main_extract", dag_run_id="manual__1", task_id="contact", try_number=1, run_type="manual")
ORG = OrgIdentity(org_id="00D000000000001EAA", instance_url="https://one.example")


def test_an_org_is_pinned_and_another_one_is_refused(warehouse: Engine) -> None:
    """The message names both orgs and what to do, and the pin stays."""
    other = OrgIdentity(org_id="00D000000000002EAA", instance_url="https://two.example")
    with transaction(warehouse) as connection:
        pin_org(connection, "main", ORG)
        pin_org(connection, "main", ORG)
    refused = pytest.raises(OrgChanged, match=r"00D000000000002EAA.*00D000000000001EAA.*Point the connection back")
    with refused, transaction(warehouse) as connection:
        pin_org(connection, "main", other)
    with transaction(warehouse) as connection:
        assert connection.execute(text("SELECT org_id FROM headwater.org")).scalar_one() == ORG.org_id


def test_a_cursor_only_moves_forward(warehouse: Engine) -> None:
    """An older window that ends late does not pull it back; the first move completes the first load."""
    make_contact(warehouse)
    with transaction(warehouse) as connection:
        assert read_cursor(connection, "main", "Contact") == Cursor()
        move_cursor(connection, "main", "Contact", NOON)
        move_cursor(connection, "main", "Contact", NOON - HOUR)
        cursor = read_cursor(connection, "main", "Contact")
    assert cursor.at == NOON
    assert cursor.first_loaded_at is not None


def test_an_idle_window_moves_the_cursor_only_from_where_it_was_seen(warehouse: Engine) -> None:
    """Another run that moved the cursor meanwhile has the say."""
    make_contact(warehouse)
    with transaction(warehouse) as connection:
        assert move_idle_cursor(connection, "main", "Contact", seen=None, to=NOON)
        assert not move_idle_cursor(connection, "main", "Contact", seen=None, to=NOON + HOUR)
        assert read_cursor(connection, "main", "Contact").at == NOON


def test_a_run_that_said_nothing_is_buried_as_failed(warehouse: Engine) -> None:
    """A killed process leaves a running run; the next holder of the lock ends it."""
    dead = new_run(warehouse)
    with transaction(warehouse) as connection:
        done = start_run(connection, kind="extract", org="main", subject="Contact", run=RUN)
        finish_run(connection, done, "success", "ok")
        assert bury_runs(connection, kind="extract", org="main", subject="Contact") == 1
        states = dict(connection.execute(text("SELECT run_id, state FROM headwater.run")).all())
    assert states == {dead: "failed", done: "success"}


def test_a_run_ends_when_its_work_is_done_not_when_that_began(warehouse: Engine) -> None:
    """The end is written in the transaction of the rows, which may have taken minutes."""
    run_id = new_run(warehouse)
    with transaction(warehouse) as connection:
        began = connection.execute(text("SELECT now()")).scalar_one()
        connection.execute(text("SELECT pg_sleep(0.02)"))
        finish_run(connection, run_id, "success")
    with transaction(warehouse) as connection:
        ended = connection.execute(text("SELECT ended_at FROM headwater.run WHERE run_id = :id"), {"id": run_id})
        assert ended.scalar_one() >= began + timedelta(seconds=0.02)


def test_a_probe_is_kept_for_its_dag_run_byte_for_byte(warehouse: Engine) -> None:
    """The page is CSV, which may hold what jsonb refuses."""
    probe = Probe(
        object="Contact",
        mode=RunMode.CHANGES,
        window=Window(low=None, high=NOON),
        soql="SELECT Id FROM Contact",
        total=1,
        page=b'"Id"\n"a\0b"\n',
    )
    with transaction(warehouse) as connection:
        keep_probe(connection, "main", RUN, probe)
        keep_probe(connection, "main", RUN, probe)
        assert read_probe(connection, "main", RUN, "Contact") == probe
        assert read_probe(connection, "main", AirflowRun(dag_id="main_extract", dag_run_id="x"), "Contact") is None
        drop_probe(connection, "main", RUN, "Contact")
        assert read_probe(connection, "main", RUN, "Contact") is None


def test_a_slice_is_found_again_where_it_stopped(warehouse: Engine) -> None:
    """Job, locator and window are all a later run needs."""
    run_id = new_run(warehouse)
    with transaction(warehouse) as connection:
        opened = open_slice(
            connection,
            "main",
            "Contact",
            run_id=run_id,
            mode=RunMode.CHANGES,
            window=Window(low=None, high=NOON),
            soql="SELECT Id FROM Contact",
            straight=True,
        )
        give_job(connection, opened.slice_id, "750000000000001AAA")
        advance_slice(connection, opened.slice_id, locator="MTAw", rows=100)
        [found] = open_slices(connection, "main", "Contact")
        assert (found.job_id, found.locator, found.rows_loaded) == ("750000000000001AAA", "MTAw", 100)
        assert (found.window, found.mode, found.straight) == (opened.window, opened.mode, True)
        close_slice(connection, opened.slice_id, "done")
        assert open_slices(connection, "main", "Contact") == []


def test_a_slice_that_is_split_goes_on_as_its_parts(warehouse: Engine) -> None:
    """The window is whole once no part of it is open, however often parts were split."""
    run_id = new_run(warehouse)
    with transaction(warehouse) as connection:
        root = open_slice(
            connection,
            "main",
            "Contact",
            run_id=run_id,
            mode=RunMode.FULL,
            window=Window(low=None, high=NOON),
            soql="whole",
            straight=True,
        )
        parts = [(Bounds(id_below="m"), "left"), (Bounds(id_from="m"), "right")]
        left, right = split_slice(connection, root, parts, run_id=run_id, halved=False)
        halves = [(Bounds(id_from="m", high=NOON), "r1"), (Bounds(id_from="m", low=NOON), "r2")]
        first, second = split_slice(connection, right, halves, run_id=run_id, halved=True)
        assert (left.halvings, first.halvings, second.root_id) == (0, 1, root.slice_id)
        assert open_slices(connection, "main", "Contact") == [left, first, second]
        assert (first.bounds, first.straight, first.mode, first.window) == (
            halves[0][0],
            True,
            RunMode.FULL,
            root.window,
        )
        give_job(connection, first.slice_id, "750")
        advance_slice(connection, first.slice_id, locator="x", rows=7)
        forget_job(connection, first.slice_id)
        assert open_slices(connection, "main", "Contact")[1] == first
        for each in (left, first, second):
            close_slice(connection, each.slice_id, "done")
        assert count_slices(connection, root.slice_id) == SliceCounts(open=0, done=3, halved=1)


def test_pages_of_one_run_add_up_to_one_extract(warehouse: Engine) -> None:
    """Each page is written with its rows; the line of the run is their sum."""
    with transaction(warehouse) as connection:
        run_id = start_run(connection, kind="extract", org="main", subject="Contact", run=RUN)
        for high, counts in ((NOON, RowCounts(read=2, inserted=2)), (NOON + HOUR, RowCounts(read=1, updated=1))):
            window = Window(low=None, high=high)
            total = add_to_extract(
                connection, run_id, "main", "Contact", mode=RunMode.CHANGES, window=window, plan="bulk", counts=counts
            )
        [extract] = extracts_of(connection, "main", RUN)
    assert extract.counts == total == RowCounts(read=3, inserted=2, updated=1)
    assert extract.window == Window(low=None, high=NOON + HOUR)


def test_calls_are_counted_by_run_and_purpose(warehouse: Engine) -> None:
    """A call is counted even when the transaction around it is rolled back."""
    meter = WarehouseMeter(warehouse, "main", run="manual__1")
    with transaction(warehouse) as connection:
        meter.spend(1, purpose="extract", object="Contact")
        connection.rollback()
    meter.spend(2, purpose="extract", object="Contact")
    meter.spend(1, purpose="count")
    meter.observe(17, 15000)
    meter.observe(18, 15000)
    meter.close()
    assert calls_of_run(warehouse, "main", "manual__1") == 4
    with transaction(warehouse) as connection:
        assert connection.execute(text("SELECT used, allowed FROM headwater.api_limit")).one() == (18, 15000)
        assert connection.execute(text("SELECT count(*) FROM headwater.api_call")).scalar_one() == 2


def test_a_session_is_stored_encrypted(warehouse: Engine) -> None:
    """The table never holds the text itself."""
    tokens = WarehouseTokens(warehouse, encrypt=lambda text: text[::-1], decrypt=lambda text: text[::-1])
    assert tokens.get("salesforce") is None
    tokens.put("salesforce", "secret")
    tokens.put("salesforce", "secret2")
    assert tokens.get("salesforce") == "secret2"
    with transaction(warehouse) as connection:
        assert connection.execute(text("SELECT token FROM headwater.session")).scalar_one() == "2terces"


def test_one_run_at_a_time_holds_an_object(warehouse: Engine) -> None:
    """Who doesn't wait is told; other objects and orgs are free."""
    with object_lock(warehouse, "main", "Contact", wait=False) as first:
        assert first
        with object_lock(warehouse, "main", "Contact", wait=False) as second:
            assert not second
        with object_lock(warehouse, "main", "Lead", wait=False) as other:
            assert other
    with object_lock(warehouse, "main", "Contact", wait=False) as again:
        assert again


def test_who_waits_gets_the_lock_when_it_is_free(warehouse: Engine) -> None:
    """Waiting ends with the holder."""
    order: list[str] = []

    def wait() -> None:
        with object_lock(warehouse, "main", "Contact", wait=True):
            order.append("waiter")

    with object_lock(warehouse, "main", "Contact", wait=False):
        waiter = threading.Thread(target=wait)
        waiter.start()
        waiter.join(0.3)
        order.append("holder")
    waiter.join()
    assert order == ["holder", "waiter"]


def test_a_server_that_goes_away_while_a_run_waits_is_a_warehouse_that_is_down(warehouse: Engine) -> None:
    """What a retry mends must not look like a fault of ours."""
    raised: list[BaseException] = []

    def wait() -> None:
        try:
            with object_lock(warehouse, "main", "Contact", wait=True):
                pass
        except WarehouseDown as error:
            raised.append(error)

    waiting = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    waiting += " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    with object_lock(warehouse, "main", "Contact", wait=False):
        waiter = threading.Thread(target=wait)
        waiter.start()
        ended: list[object] = []
        while not ended and waiter.is_alive():
            with transaction(warehouse) as connection:
                ended = list(connection.execute(text(waiting)))
        waiter.join()
    assert len(raised) == 1


def test_a_killed_process_frees_its_lock(warehouse: Engine, warehouse_url: str) -> None:
    """kill -9 leaves nothing behind that a person must clear."""
    script = (
        "import sys, time\n"
        "from include.warehouse.engine import open_warehouse\n"
        "from include.warehouse.locks import object_lock\n"
        "with object_lock(open_warehouse(sys.argv[1]), 'main', 'Contact', wait=False):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, warehouse_url], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with object_lock(warehouse, "main", "Contact", wait=False) as held:
            assert not held
        process.send_signal(signal.SIGKILL)
    with object_lock(warehouse, "main", "Contact", wait=True) as held:
        assert held

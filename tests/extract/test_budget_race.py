"""However many tasks of however many definitions call one org at once, its watermark is never crossed."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sqlalchemy import text

from include.config.budget import BudgetDefinition, Work
from include.errors import BudgetPaused
from include.salesforce.client import SalesforceClient
from include.warehouse.calls.meter import WarehouseMeter
from include.warehouse.engine import transaction
from include.warehouse.orgs import pin_org
from tests.extract.conftest import Desk

ALLOWED, KEPT = 600, 100
BUDGET = BudgetDefinition.model_validate({"watermark": {"calls": KEPT}})


def task(desk: Desk, number: int, most: int, budget: BudgetDefinition = BUDGET, work: Work = Work.SYNC) -> str:
    """Call the org as a task of one of ten definitions would, until it has enough or has to wait."""
    meter = WarehouseMeter(desk.warehouse, f"org{number % 10}", run=f"run {number}", budget=budget, work=work)
    with SalesforceClient(desk.org.credentials(), meter=meter) as client:
        for _ in range(most):
            try:
                client.count("SELECT COUNT() FROM Lead")
            except BudgetPaused as pause:
                return str(pause)
    return ""


def ten_definitions_of_one_org(desk: Desk) -> None:
    with desk.client(desk.next_run()) as client:
        identity = client.identity()
    with transaction(desk.warehouse) as connection:
        for number in range(10):
            pin_org(connection, f"org{number}", identity)


def test_ten_definitions_that_race_never_cross_the_watermark(desk: Desk) -> None:
    """Eighty tasks want far more than there is; all of them end with a pause that says why."""
    desk.org.allowed = ALLOWED
    ten_definitions_of_one_org(desk)
    with ThreadPoolExecutor(16) as pool:
        ends = list(pool.map(lambda number: task(desk, number, random.Random(number).randrange(5, 60)), range(80)))
    assert desk.org.used() <= ALLOWED - KEPT
    assert desk.org.used() > (ALLOWED - KEPT) * 0.9  # what may be used is used
    assert any("100 are kept for others" in end for end in ends)


def test_work_goes_on_by_itself_when_calls_come_back(desk: Desk) -> None:
    """The org's day rolls; the count is asked for again once it is old."""
    desk.org.allowed = ALLOWED
    ten_definitions_of_one_org(desk)
    assert task(desk, 0, ALLOWED)
    desk.org.rolled = 400
    assert task(desk, 1, 5)  # nobody has asked the org since
    with transaction(desk.warehouse) as connection:
        connection.execute(text("UPDATE headwater.api_budget SET observed_at = now() - interval '11 min'"))
    assert task(desk, 2, 50) == ""
    assert desk.org.used() <= ALLOWED - KEPT


def test_large_work_waits_while_changes_go_on(desk: Desk) -> None:
    """Forty per cent of our quota are used: a reconciliation waits for the next day of the quota."""
    budget = BudgetDefinition.model_validate({"watermark": {"calls": KEPT}, "quota": {"calls": 100}})
    ten_definitions_of_one_org(desk)
    assert task(desk, 0, 45, budget) == ""
    assert "from 40% on large loads wait" in task(desk, 1, 1, budget, Work.BULK)
    assert task(desk, 1, 5, budget) == ""


def test_a_process_that_dies_leaves_too_many_calls_in_the_count_never_too_few(desk: Desk) -> None:
    """Its block was counted when it was lent, and is free again when the loan ends."""
    ten_definitions_of_one_org(desk)
    meter = WarehouseMeter(desk.warehouse, "org1", run="dead", budget=BUDGET)
    client = SalesforceClient(desk.org.credentials(), meter=meter)
    for _ in range(4):
        client.count("SELECT COUNT() FROM Lead")
    # No close: the process is gone.
    [(counted,)] = desk.rows("SELECT sum(calls)::int FROM headwater.api_call WHERE run = 'dead'")
    assert 4 <= counted <= 8
    [(lent, ends)] = desk.rows("SELECT calls, expires_at FROM headwater.api_lease")
    assert lent >= counted - 4
    assert isinstance(ends, datetime)


def test_what_was_not_used_goes_back(desk: Desk) -> None:
    """After the client is closed the count is exact and nothing is lent."""
    ten_definitions_of_one_org(desk)
    assert task(desk, 3, 11) == ""
    assert desk.rows("SELECT sum(calls)::int FROM headwater.api_call WHERE run = 'run 3'") == [(11,)]
    assert desk.rows("SELECT count(*) FROM headwater.api_lease") == [(0,)]
    assert desk.rows("SELECT used, allowed FROM headwater.api_budget WHERE used IS NOT NULL") == [
        (desk.org.used(), desk.org.allowed)
    ]


def test_a_watermark_that_others_crossed_is_left_when_calls_come_back(desk: Desk) -> None:
    """Only the org can tell, so it is asked by the hour."""
    desk.org.allowed = ALLOWED
    ten_definitions_of_one_org(desk)
    desk.org.rolled = -550  # other apps' calls
    assert task(desk, 0, 3)
    desk.org.rolled = 0
    with transaction(desk.warehouse) as connection:
        connection.execute(text("UPDATE headwater.api_budget SET observed_at = now() - interval '61 min'"))
    assert task(desk, 1, 5) == ""


def test_what_a_slow_task_saw_long_ago_is_no_news(desk: Desk) -> None:
    """It closes hours after it called; others have called since."""
    desk.org.allowed = ALLOWED
    ten_definitions_of_one_org(desk)
    slow = WarehouseMeter(desk.warehouse, "org1", run="slow", budget=BUDGET)
    slow.spend(1, purpose="extract")
    slow.observe(3, ALLOWED)
    assert task(desk, 2, 40) == ""
    with transaction(desk.warehouse) as connection:
        connection.execute(text("UPDATE headwater.api_budget SET observed_at = now() + interval '1 min'"))
    slow.close()
    assert desk.rows("SELECT used FROM headwater.api_budget WHERE used IS NOT NULL") == [(desk.org.used(),)]

"""The fault campaign in small, and that its eyes see what they are there to see."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from include.settings import PROJECT_ROOT
from tools.faults.comparison import Compared, compare
from tools.faults.observer import Observer

_CREATE = """
    CREATE SCHEMA salesforce_main;
    CREATE TABLE salesforce_main."Contact" (
        "Id" text, "LastName" text, "Amount__c" numeric, "IsDeleted" boolean,
        "SystemModstamp" timestamptz, _deleted_at timestamptz
    );
    INSERT INTO salesforce_main."Contact" VALUES
        ('1', 'Doe', 1.50, false, '2026-01-01 10:00:00Z', NULL), ('2', NULL, NULL, true, '2026-01-01 10:00:00Z', now())
"""
_FIELDS = {
    "Id": "id", "LastName": "string", "Amount__c": "currency", "IsDeleted": "boolean", "SystemModstamp": "datetime",
}  # fmt: skip


class KnownOrg:
    """Stand for the reader of an org whose records the test knows."""

    def __init__(self, **changed: Any) -> None:
        stamp = "2026-01-01T10:00:00.000+0000"
        self._records = {
            "1": {
                "Id": "1",
                "LastName": "Doe",
                "Amount__c": Decimal("1.5"),
                "IsDeleted": False,
                "SystemModstamp": stamp,
            },
            "2": {"Id": "2", "LastName": "", "Amount__c": None, "IsDeleted": True, "SystemModstamp": stamp},
        }
        self._records["1"] |= changed

    def fields(self, name: str) -> dict[str, str]:
        return dict(_FIELDS)

    def records(self, name: str, fields: Mapping[str, str]) -> dict[str, dict[str, Any]]:
        return self._records


@pytest.fixture
def rows(warehouse_url: str) -> str:
    """Return the URL of a warehouse that holds two contacts."""
    change(warehouse_url, _CREATE)
    return warehouse_url


def change(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def compared(url: str, org: KnownOrg) -> Compared:
    return compare(org, url, "salesforce_main", "Contact")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_small_campaign_loses_doubles_and_ages_nothing(tmp_path: Path) -> None:
    """Forty faults and eight kills of tasks, warehouse and org; afterwards every value is the org's."""
    options = ["--contacts", "400", "--faults", "40", "--kills", "8", "--seed", "7", "--quiet"]
    campaign = subprocess.run(
        [sys.executable, "-m", "tools.faults", "--home", str(tmp_path), *options],
        cwd=PROJECT_ROOT, env={**os.environ, "PYTHONPATH": "plugins:."}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert campaign.returncode == 0, campaign.stdout + campaign.stderr
    counted = {name: int(count) for name, count in re.findall(r"(\w+) (\d+)", campaign.stdout.splitlines()[-1])}
    assert counted["injected"] >= 40
    assert counted == {"injected": counted["injected"], "survived": counted["injected"]} | dict.fromkeys(
        ("lost", "doubled", "regressed"), 0
    )
    assert re.search(r"killed with -9.*\*\*all\*\* +\| 8 ", campaign.stdout, re.S)


def test_equal_values_are_equal_however_they_were_written(rows: str) -> None:
    """1.5 and 1.50, an empty text and null, stamps of another notation."""
    found = compared(rows, KnownOrg())
    assert (found.lost, found.doubled) == ([], [])
    assert (found.records, found.deleted, found.values) == (2, 1, 10)


@pytest.mark.parametrize(
    "changed",
    [{"LastName": "Roe"}, {"Amount__c": Decimal("1.51")}, {"IsDeleted": True}, {"LastName": None}],
    ids=lambda changed: next(iter(changed)),
)
def test_a_single_other_value_counts_as_lost(rows: str, changed: dict[str, Any]) -> None:
    """Whatever the field."""
    found = compared(rows, KnownOrg(**changed))
    assert [line.split(":")[0] for line in found.lost] == ["1"]


def test_a_missing_row_counts_as_lost_and_a_strange_or_second_one_as_doubled(rows: str) -> None:
    """Rows are counted by Id."""
    change(rows, """DELETE FROM salesforce_main."Contact" WHERE "Id" = '2'""")
    assert len(compared(rows, KnownOrg()).lost) == 1
    change(rows, """INSERT INTO salesforce_main."Contact" ("Id") VALUES ('3')""")
    change(rows, """INSERT INTO salesforce_main."Contact" SELECT * FROM salesforce_main."Contact" WHERE "Id" = '1'""")
    assert compared(rows, KnownOrg()).doubled == ["1 Ids twice", "3 is unknown to the org"]


def test_a_deletion_that_is_marked_on_one_side_only_counts_as_lost(rows: str) -> None:
    """The mark is ours, so no field of the org shows it."""
    change(rows, 'UPDATE salesforce_main."Contact" SET _deleted_at = now()')
    assert compared(rows, KnownOrg()).lost == ["1: is deleted on one side only"]


def test_a_row_that_went_back_or_away_is_seen(rows: str) -> None:
    """A newer stamp is fine."""
    observer = Observer(rows, "salesforce_main", ("Contact", "Lead"))
    observer.sample("first")
    change(rows, """UPDATE salesforce_main."Contact" SET "SystemModstamp" = '2026-01-01 11:00:00Z' WHERE "Id" = '1'""")
    observer.sample("second")
    assert observer.regressed == []
    change(rows, """UPDATE salesforce_main."Contact" SET "SystemModstamp" = '2026-01-01 10:59:59Z' WHERE "Id" = '1'""")
    change(rows, """DELETE FROM salesforce_main."Contact" WHERE "Id" = '2'""")
    observer.sample("third")
    assert [line.split(",")[1] for line in observer.regressed] == [" third", " third"]
    assert observer.samples == 3

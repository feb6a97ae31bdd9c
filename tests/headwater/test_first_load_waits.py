"""When calls become scarce, what reads everything waits first: a first load, then a full refresh."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException, TaskDeferred
from sqlalchemy import Engine, text

from headwater import hooks
from headwater.operators import ExtractObjectOperator
from include.warehouse.engine import transaction

DEFINITION = """
org: demo
connection: salesforce_demo
objects: [Lead, Account]
budget: {watermark: {calls: 0}, quota: {calls: 1000}}
"""


@pytest.fixture
def scarce(site: dict[str, str], definitions: Path, monkeypatch: pytest.MonkeyPatch, warehouse: Engine) -> None:
    """Leave 55 per cent of the quota, after the leads were loaded."""
    (definitions / "orgs" / "demo.yaml").write_text(DEFINITION, encoding="utf-8")
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(definitions))
    hooks.definitions.cache_clear()
    extract("Lead")
    with transaction(warehouse) as connection:
        connection.execute(
            text(
                "INSERT INTO headwater.api_call (org, hour, purpose, calls)"
                " VALUES ('demo', date_trunc('hour', now()), 'others', 450)"
            )
        )


def extract(name: str, **parameters: Any) -> None:
    operator = ExtractObjectOperator(task_id=f"extract_{name}", org="demo", sobject=name)
    operator.execute({"params": parameters})


def test_a_first_load_and_a_full_refresh_wait_while_changes_are_read(scarce: None) -> None:
    """Each waits for the next day of the quota, and says so; nobody waits for what was loaded before."""
    for object, parameters in (("Account", {}), ("Lead", {"mode": "full"})):
        with pytest.raises(TaskDeferred):
            extract(object, **parameters)
    with pytest.raises(AirflowSkipException, match="nothing changed"):
        extract("Lead")
    hooks.definitions.cache_clear()

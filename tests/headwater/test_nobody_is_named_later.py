"""Who somebody is reaches no log, XCom, error, ledger, document or mail of the tasks that come after a load either."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException
from sqlalchemy import Engine, text

from headwater import hooks
from headwater.operators import (
    AssessHealthOperator,
    CertifyExtractOperator,
    ExtractObjectOperator,
    FindProbableDuplicatesOperator,
    HealthGateOperator,
    HousekeepingOperator,
    NotifyOperator,
    ReconcileObjectOperator,
    SendDigestOperator,
    SettlePushesOperator,
    TellOwnersOperator,
)
from include.errors import HeadwaterError
from include.sandbox.mail.box import Box
from include.settings import PROJECT_ROOT
from tests.headwater.test_health_tasks import box  # noqa: F401
from tests.headwater.test_nobody_is_named import CANARY, PUSH, _ledgers, _plant

ORG = """\
org: demo
connection: salesforce_demo
objects: [Account, Contact]
notify: [{mail: [team@example.com]}]
health:
  digest: {mail: [lead@example.com]}
  owners: {tell: true, fallback: ops@example.com}
probable_duplicates: {objects: {Contact: {}}}
"""


@pytest.fixture
def planted(
    site: dict[str, str], warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """Yield a loaded and assessed warehouse, every person of which then becomes another one, all of one name."""
    shutil.copytree(PROJECT_ROOT / "include" / "definitions", tmp_path / "definitions")
    (tmp_path / "definitions" / "orgs" / "demo.yaml").write_text(ORG, encoding="utf-8")
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(tmp_path / "definitions"))
    hooks.definitions.cache_clear()
    for name in ("Account", "Contact"):
        ExtractObjectOperator(task_id=f"e_{name}", org="demo", sobject=name).execute({})
    AssessHealthOperator(task_id="a", org="demo").execute({})
    _plant(warehouse)
    yield warehouse
    hooks.definitions.cache_clear()


@pytest.mark.slow
def test_the_tasks_after_a_load_name_nobody(
    planted: Engine,
    box: Box,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Assessment and its documents, comparison with the org, probable duplicates, gate, mails, housekeeping."""
    caplog.set_level(logging.DEBUG)
    told: list[Any] = []
    done: set[str] = set()
    for operator in (
        AssessHealthOperator(task_id="assess", org="demo"),
        FindProbableDuplicatesOperator(task_id="probable", org="demo"),
        NotifyOperator(task_id="notify", org="demo", kind="health", subjects=["assessment"]),
        SendDigestOperator(task_id="digest", org="demo"),
        TellOwnersOperator(task_id="owners", org="demo"),
        HealthGateOperator(task_id="gate", push=PUSH),
        SettlePushesOperator(task_id="settle", pushes=[PUSH]),
        ReconcileObjectOperator(task_id="reconcile", org="demo", sobject="Contact"),
        CertifyExtractOperator(task_id="certify", org="demo", objects=["Account", "Contact"]),
        HousekeepingOperator(task_id="housekeeping"),
    ):
        try:
            told.append(operator.execute({"params": {"until_now": True}}))
            done.add(operator.task_id)
        except (AirflowSkipException, HeadwaterError) as why:
            told += [str(why), repr(why.__cause__), *getattr(why, "__notes__", ())]
    assert {"assess", "probable", "digest", "reconcile", "housekeeping"} <= done, told

    mails = {f"mail {place}": f"{each.subject} {each.text} {each.html}" for place, each in enumerate(box.newest(99))}
    assert mails
    out, err = capfd.readouterr()
    everything = {"log": caplog.text, "out": out, "err": err, "xcom and errors": json.dumps(told, default=str)}
    everything |= mails | _ledgers(planted)  # documents of Great Expectations are kept in one
    assert [place for place, words in everything.items() if CANARY in words.casefold()] == []
    with planted.connect() as connection:
        known = connection.execute(text('SELECT count(*) FROM salesforce_demo."Contact" WHERE "FirstName" IS NOT NULL'))
        assert known.scalar_one() > 0

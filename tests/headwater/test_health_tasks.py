"""The tasks that tell of health, over Airflow connections: an assessment, its changes, the digest, the owners."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from airflow.sdk.exceptions import AirflowSkipException
from sqlalchemy import Engine

from headwater import hooks
from headwater.operators import NotifyOperator, SendDigestOperator, TellOwnersOperator
from include.errors import ConnectionLost
from include.sandbox.mail.app import Sink
from include.sandbox.mail.box import Box
from tests.headwater.connected import connect, free_port
from tests.notifications.health_org import HealthOrg

ORG = """\
org: acme
connection: acme
objects: [Contact]
notify: [{mail: [team@example.com]}]
health:
  digest: {mail: [lead@example.com]}
  owners: {tell: true, fallback: ops@example.com}
"""
CHECKS = """\
checks:
  - {check: no_email, title: Contacts without e-mail, why: Nobody can write to them., category: Incomplete,
     severity: warning, object: Contact, bad_when: "{row.Email} IS NULL"}
"""
QUEUE = "00G000000000001AAA"


@pytest.fixture
def org(
    warehouse: Engine, warehouse_url: str, definitions: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HealthOrg]:
    """Define an org whose contacts a test makes bad, three minutes ago and now."""
    (definitions / "orgs" / "acme.yaml").write_text(ORG, encoding="utf-8")
    (definitions / "checks" / "all.yaml").write_text(CHECKS, encoding="utf-8")
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(definitions))
    url = warehouse_url.replace("postgresql+psycopg://", "postgres://")
    monkeypatch.setenv("AIRFLOW_CONN_HEADWATER_WAREHOUSE", url)
    for each in (hooks.definitions, hooks.warehouse_engine):
        each.cache_clear()
    yield HealthOrg(warehouse, now=datetime.now(UTC) - timedelta(minutes=10))
    hooks.warehouse_engine().dispose()
    for each in (hooks.definitions, hooks.warehouse_engine):
        each.cache_clear()


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    box, port = Box(tmp_path), free_port()
    controller = Controller(Sink(box), hostname="127.0.0.1", port=port)
    controller.start()
    at(monkeypatch, port)
    yield box
    controller.stop()


def at(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    plain = {"disable_ssl": True, "disable_tls": True, "from_email": "headwater@example.com"}
    connect(monkeypatch, "smtp_default", conn_type="smtp", host="127.0.0.1", port=port, extra=plain)


def notify() -> Any:
    return NotifyOperator(task_id="notify", org="acme", kind="health", subjects=["assessment"]).execute({})


def test_a_change_arrives_as_a_mail_and_a_second_task_tells_nothing(org: HealthOrg, box: Box) -> None:
    """The assessment decided it, the task tells it."""
    org.contacts(0)
    org.assess(0)
    notify()
    org.contacts(90)
    org.assess(1 / 60)
    assert notify() == {"began": 3, "over": 0, "messages": 1}

    newest = box.newest(1)[0]
    assert "New issue: Contacts without e-mail (Contact)" in newest.text
    with pytest.raises(AirflowSkipException, match="nothing changed"):
        notify()
    assert box.count() == 2


def test_a_digest_is_sent_once_and_again_when_it_is_asked_for(org: HealthOrg, box: Box) -> None:
    """A period that was told is skipped with the way out; what is not assessed has no digest."""
    send = SendDigestOperator(task_id="send", org="acme")
    with pytest.raises(AirflowSkipException, match=r"nothing was assessed before .* run acme_health"):
        send.execute({})
    org.contacts(90)
    org.assess(-24 * 8)
    send.execute({})
    (mail,) = box.newest(9)
    assert mail.recipients == ("lead@example.com",)
    assert "91.0%" in mail.html
    with pytest.raises(AirflowSkipException, match="was sent already"):
        send.execute({})
    send.execute({"params": {"until_now": True}})
    assert box.count() == 2


def test_owners_are_told_and_a_mail_that_is_not_taken_fails_the_task(
    org: HealthOrg, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would know otherwise; the next run sends it."""
    owners = TellOwnersOperator(task_id="tell_owners", org="acme")
    org.contacts(0, owner=QUEUE)
    org.assess(0)
    with pytest.raises(AirflowSkipException, match="no owner has to be told now"):
        owners.execute({})
    org.contacts(90, owner=QUEUE)
    org.assess(1 / 60)
    with monkeypatch.context() as down:
        at(down, free_port())
        with pytest.raises(ConnectionLost):
            owners.execute({})
    assert owners.execute({}) == {"mails": 1, "findings": 90, "waiting": 0}
    assert box.newest(1)[0].recipients == ("ops@example.com",)

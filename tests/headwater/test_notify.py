"""The last task of a DAG tells people over the Airflow connections of the org's channels."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from airflow.sdk.exceptions import AirflowSkipException

from headwater import hooks
from headwater.failures import says_why_it_failed, waits_for_budget
from headwater.operators import ExtractObjectOperator, NotifyOperator, ProbeObjectsOperator
from headwater.runs import FAILURE_KEY
from headwater.telling import ended_tasks
from include.config.notify import ChannelDefinition
from include.errors import AuthError, BudgetPaused, ConnectionLost, NotReady
from include.notifications.mail import MailMessenger
from tests.headwater.connected import connect, free_port

DEFINITION = "org: demo\nconnection: salesforce_demo\nobjects: [Lead]\nnotify: [{mail: [team@example.com]}]\n"


class Post:
    """Keep the subjects of the mails that arrive."""

    def __init__(self) -> None:
        self.subjects: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        mail = message_from_bytes(bytes(envelope.content or b""), policy=policy.default)  # type: ignore[arg-type]
        self.subjects.append(str(mail["Subject"]))
        return "250 OK"


class Attempt:
    """Be a task's own view of its run, as Airflow gives it, remembering what it pushes."""

    task_id, try_number = "notify", 1

    def __init__(self, states: dict[str, str] | None = None, xcom: dict[tuple[str, str], str] | None = None) -> None:
        self.states, self.xcom = states or {}, xcom or {}

    def get_task_states(self, *, dag_id: str, run_ids: list[str]) -> dict[str, Any]:
        return {run_ids[0]: self.states}

    def xcom_pull(self, *, task_ids: str, key: str) -> str | None:
        return self.xcom.get((task_ids, key))

    def xcom_push(self, *, key: str, value: str) -> None:
        self.xcom[self.task_id, key] = value


def context(attempt: Attempt) -> Any:
    return {"ti": attempt, "dag_run": SimpleNamespace(dag_id="demo_extract", run_id="r1", run_type="manual")}


@pytest.fixture
def org(site: dict[str, str], definitions: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    (definitions / "orgs" / "demo.yaml").write_text(DEFINITION, encoding="utf-8")
    monkeypatch.setenv("HEADWATER_DEFINITIONS", str(definitions))
    hooks.definitions.cache_clear()
    yield site
    hooks.definitions.cache_clear()


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    handler, port = Post(), free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    plain = {"disable_ssl": True, "disable_tls": True, "from_email": "headwater@example.com"}
    connect(monkeypatch, "smtp_default", conn_type="smtp", host="127.0.0.1", port=port, extra=plain)
    yield handler
    controller.stop()


def notify(attempt: Attempt) -> Any:
    return NotifyOperator(task_id="notify", org="demo", kind="extract", subjects=["Lead"]).execute(context(attempt))


def test_the_end_of_an_onboarding_arrives_as_a_mail(org: dict[str, str], post: Post) -> None:
    """The probe writes the forecast, the load fulfils it; the next run has nothing to tell."""
    ProbeObjectsOperator(task_id="probe", org="demo", objects=["Lead"]).execute({})
    ExtractObjectOperator(task_id="extract_Lead", org="demo", sobject="Lead").execute({})

    assert notify(Attempt()) == {"began": 1, "over": 0, "messages": 1}
    assert post.subjects == ["[Headwater demo] Onboarding of demo ended"]
    with pytest.raises(AirflowSkipException, match="nothing changed"):
        notify(Attempt())


def test_a_task_that_failed_is_told_in_its_own_words(org: dict[str, str], post: Post) -> None:
    """Nothing is in a ledger when nobody could sign in; the task left its words to the one that tells."""
    failed = Attempt({"probe": "failed", "notify": "running"}, {("probe", FAILURE_KEY): "AuthError: mend it"})

    assert [(each.task_id, each.message) for each in ended_tasks(context(failed))] == [("probe", "AuthError: mend it")]
    notify(failed)
    notify(Attempt({"probe": "success"}))
    assert post.subjects == [
        "[Headwater demo] demo_extract: the task probe failed",
        "[Headwater demo] Over: demo_extract: the task probe failed",
    ]


def test_a_mail_server_that_is_down_fails_the_task(
    org: dict[str, str], post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would know otherwise; the message goes when it is back."""
    failed = Attempt({"probe": "failed"})
    with monkeypatch.context() as down:
        connect(down, "smtp_default", conn_type="smtp", host="127.0.0.1", port=free_port(), extra={"disable_ssl": True})
        with pytest.raises(ConnectionLost):
            notify(failed)
    assert notify(failed) == {"began": 0, "over": 0, "messages": 1}
    assert len(post.subjects) == 1


def test_a_pause_for_calls_is_told_while_it_lasts(org: dict[str, str], post: Post) -> None:
    """And over once the run went on."""
    from datetime import UTC, datetime

    from airflow.sdk.exceptions import TaskDeferred

    class Waiting(ProbeObjectsOperator):
        @waits_for_budget
        def execute(self, context: Any) -> None:
            raise BudgetPaused("no call now: the quota is used", until=datetime(2099, 1, 1, tzinfo=UTC))

    with pytest.raises(TaskDeferred):
        Waiting(task_id="probe", org="demo", objects=["Lead"]).execute(context(Attempt()))
    assert post.subjects == ["[Headwater demo] demo_extract waits for API calls"]
    notify(Attempt())
    assert post.subjects[1:] == ["[Headwater demo] Over: demo_extract waits for API calls"]


def test_only_our_own_words_are_left_to_others() -> None:
    """Another library's message may hold anything."""

    def fail(error: Exception) -> Attempt:
        attempt = Attempt()

        @says_why_it_failed
        def execute(self: Any, context: Any) -> None:
            raise error

        with pytest.raises(type(error)):
            execute(None, context(attempt))
        return attempt

    assert fail(AuthError("mend it")).xcom == {("notify", FAILURE_KEY): "AuthError: mend it"}
    assert fail(ValueError("jane@example.com")).xcom == {}


def test_a_channel_without_its_connection_says_what_to_do() -> None:
    """As every missing connection does."""
    with pytest.raises(NotReady, match="'nowhere' does not exist; create it"):
        hooks.messenger(ChannelDefinition(webhook="nowhere"))


def test_connections_are_read_as_airflows_own_providers_read_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail connection without extras is TLS from the first byte, as with Airflow's SMTP provider."""
    connect(monkeypatch, "mail", conn_type="smtp", host="mail.example.com", login="me@example.com", password="pw")
    sender = hooks.messenger(ChannelDefinition(mail=("a@example.com",), connection="mail"))

    assert isinstance(sender, MailMessenger)
    assert (sender.server.secure, sender.server.port, sender.server.sender) == ("ssl", 465, "me@example.com")
    connect(monkeypatch, "mail", conn_type="smtp", host="mail.example.com", extra={"disable_ssl": True})
    starttls = hooks.messenger(ChannelDefinition(mail=("a@example.com",), connection="mail"))
    assert isinstance(starttls, MailMessenger)
    assert (starttls.server.secure, starttls.server.port) == ("starttls", 587)

"""Several requests under way, stops, refused connections, jobs that tell later, and failures that wait their turn."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from include.activation.deliver import deliver_push
from include.activation.jobs import LONGEST_JOB, settle_jobs
from include.activation.options import PushRunOptions
from include.activation.settlement import bury_old_runs
from include.activation.verdict import settle
from include.errors import AuthError, CircuitOpen, PushFailed, PushStopped
from include.records import AirflowRun, OutcomeCounts
from include.warehouse.calls.circuit import WarehouseCircuit
from include.warehouse.engine import transaction
from tests.activation.source import NOW, Org, contact_id, definition, select
from tests.faults.counting import Counting, Ledger, counting_platform

PUSH = definition(identifiers={"uuid": "Id"})
SCHEDULED = AirflowRun(dag_id="push_contacts", dag_run_id="scheduled__1", task_id="select", run_type="scheduled")


@pytest.fixture
def deduping() -> Iterator[tuple[Ledger, str]]:
    with counting_platform("dedupes") as running:
        yield running


@pytest.fixture
def later() -> Iterator[tuple[Ledger, str]]:
    with counting_platform("settles_later") as running:
        yield running


def deliver(org: Org, destination: Counting, run_id: int, *, batch_size: int = 2, **more: Any) -> OutcomeCounts:
    terms = {"skip_hook": False, "fast_fail": False, "batch_size": batch_size, "now": lambda: NOW, **more}
    return deliver_push(org.engine, PUSH, destination, run_id=run_id, **terms)


def circuit(org: Org, *, access: bytes = b"one") -> WarehouseCircuit:
    return WarehouseCircuit(org.engine, connection="conn", access=access, user="contacts")


def test_several_requests_are_under_way_at_once(org: Org, deduping: tuple[Ledger, str]) -> None:
    """A platform that answers nobody until three ask gets three requests."""
    ledger, url = deduping
    org.add_contacts(6)
    barrier = threading.Barrier(3, timeout=30)

    class Together(Counting):
        def send(self, batch: Any) -> Any:
            barrier.wait()
            return super().send(batch)

    counts = deliver(org, Together(url, "dedupes"), select(org.engine, PUSH).run_id, parallel=3)

    assert counts == OutcomeCounts(selected=6, delivered=6)
    assert ledger.requests == 3


def test_two_requests_that_name_one_person_never_fly_together(org: Org, deduping: tuple[Ledger, str]) -> None:
    """Two records with one e-mail address: the newer one is sent when the older one has arrived."""
    _, url = deduping
    push = definition(identifiers={"email": "Email"}, event=None)
    org.add_contact(1, Email="one@example.com", LastName="Old")
    org.add_contact(2, Email="two@example.com")
    org.add_contact(3, Email="one@example.com", LastName="New")
    flying: list[set[str]] = []
    most = []

    class Watched(Counting):
        def send(self, batch: Any) -> Any:
            people = {each.identifiers["email"] for each in batch.records}
            most.append(any(people & other for other in flying))
            flying.append(people)
            try:
                return super().send(batch)
            finally:
                flying.remove(people)

    run = select(org.engine, push)
    counts = deliver_push(
        org.engine, push, Watched(url, "dedupes"), run_id=run.run_id, skip_hook=False, fast_fail=False, batch_size=1,
        parallel=3, now=lambda: NOW,
    )  # fmt: skip

    assert counts.delivered == 3
    assert most == [False, False, False]


def test_a_stop_is_kept_within_a_batch_and_the_rest_is_held(org: Org, deduping: tuple[Ledger, str]) -> None:
    """What was answered is recorded, the reason stands with the run, and the next delivery goes on."""
    ledger, url = deduping
    org.add_contacts(8)
    run = select(org.engine, PUSH)

    with pytest.raises(PushStopped, match="somebody wants it"):
        deliver(
            org, Counting(url, "dedupes"), run.run_id, stop_asked=lambda: "somebody wants it" if ledger.requests else ""
        )

    outcomes = list(org.outcomes(run.run_id).values())
    assert outcomes.count("held") >= 4
    assert outcomes.count("held") + outcomes.count("delivered") == 8
    (row,) = org.run("SELECT state, message FROM headwater.run WHERE run_id = :id", id=run.run_id)
    assert row.state == "failed"
    assert "somebody wants it" in row.message
    assert set(org.causes(run.run_id).values()) == {"", "stopped"}
    assert deliver(org, Counting(url, "dedupes"), run.run_id).delivered == 8
    assert set(ledger.stored.values()) == {1}


def test_a_stop_does_not_wait_for_a_platform_that_is_silent(org: Org, deduping: tuple[Ledger, str]) -> None:
    """A request without an answer is settled as after a kill: its records go again under their keys."""
    ledger, url = deduping
    org.add_contacts(2)
    run = select(org.engine, PUSH)
    ledger.slow.clear()

    with pytest.raises(PushStopped):
        deliver(org, Counting(url, "dedupes"), run.run_id, stop_asked=lambda: "enough" if ledger.requests else "")
    ledger.slow.set()

    assert set(org.outcomes(run.run_id).values()) == {"held"}
    assert deliver(org, Counting(url, "dedupes"), run.run_id).delivered == 2
    assert set(ledger.stored.values()) == {1}


def test_a_refused_connection_holds_all_its_pushes_without_a_request(org: Org, deduping: tuple[Ledger, str]) -> None:
    """The first refusal opens the circuit; from then on nothing is asked, and every record is held."""
    ledger, url = deduping
    ledger.refuses = True
    org.add_contacts(2)
    first, second = select(org.engine, PUSH), select(org.engine, PUSH)
    with pytest.raises(AuthError):
        deliver(org, Counting(url, "dedupes"), first.run_id, circuit=circuit(org))
    asked = ledger.requests

    with pytest.raises(CircuitOpen):
        deliver(org, Counting(url, "dedupes"), second.run_id, circuit=circuit(org))

    assert (ledger.requests, ledger.tests) == (asked, 0)
    assert set(org.causes(second.run_id).values()) == {"credentials_refused"}


def test_a_changed_connection_is_worth_a_try(org: Org, deduping: tuple[Ledger, str]) -> None:
    """New credentials close the circuit at once."""
    ledger, url = deduping
    circuit(org).open(AuthError("refused"))
    org.add_contacts(2)

    counts = deliver(
        org, Counting(url, "dedupes"), select(org.engine, PUSH).run_id, circuit=circuit(org, access=b"two")
    )

    assert counts.delivered == 2
    assert ledger.tests == 0
    circuit(org).insist(lambda: pytest.fail("it is closed"))


def test_after_the_pause_one_reading_call_decides(org: Org, deduping: tuple[Ledger, str]) -> None:
    """Still refused: nothing is sent and the pause grows. Taken: the push goes on."""
    ledger, url = deduping
    circuit(org).open(AuthError("refused"))
    org.add_contacts(2)
    run = select(org.engine, PUSH)
    ledger.refuses = True
    org.run("UPDATE headwater.circuit SET probe_at = now()")

    with pytest.raises(AuthError):
        deliver(org, Counting(url, "dedupes"), run.run_id, circuit=circuit(org))
    assert (ledger.tests, ledger.requests) == (1, 0)
    (row,) = org.run("SELECT refusals, probe_at > now() + interval '20 minutes' AS later FROM headwater.circuit")
    assert (row.refusals, row.later) == (2, True)

    ledger.refuses = False
    org.run("UPDATE headwater.circuit SET probe_at = now()")
    assert deliver(org, Counting(url, "dedupes"), run.run_id, circuit=circuit(org)).delivered == 2
    assert org.run("SELECT count(*) AS n FROM headwater.circuit")[0].n == 0


def test_only_one_caller_makes_the_try(org: Org) -> None:
    """Two pushes at the same moment are one call to the platform."""
    circuit(org).open(AuthError("refused"))
    org.run("UPDATE headwater.circuit SET probe_at = now()")
    tried: list[str] = []

    def other_meanwhile() -> None:
        with pytest.raises(CircuitOpen):
            circuit(org).insist(lambda: tried.append("other"))
        tried.append("one")

    circuit(org).insist(other_meanwhile)

    assert tried == ["one"]


def test_what_a_platform_took_for_later_becomes_delivered_or_rejected(org: Org, later: tuple[Ledger, str]) -> None:
    """While its job works a record is accepted and not sent again; then it is what the job tells."""
    ledger, url = later
    ledger.tells = False
    ledger.reject.add(contact_id(2))
    org.add_contacts(3)
    platform = Counting(url, "settles_later")
    run = select(org.engine, PUSH)
    counts = _deliver_without_waiting(org, platform, run.run_id)
    assert counts == OutcomeCounts(selected=3, accepted=3)
    assert select(org.engine, PUSH).to_send == 0

    ledger.tells = True
    settled = settle_jobs(org.engine, PUSH.push, platform, now=lambda: NOW)

    assert settled.runs == {run.run_id: OutcomeCounts(selected=3, delivered=2, rejected=1)}
    assert org.outcomes(run.run_id)[contact_id(2)] == "rejected"
    assert org.open_errors() == [(contact_id(2), "rejected", 1)]
    states = org.run("SELECT state FROM headwater.outbox ORDER BY record_id")
    assert [row.state for row in states] == ["delivered", "refused", "delivered"]
    (sent,) = org.run("SELECT platform_id FROM headwater.sent WHERE record_id = :id", id=contact_id(1))
    assert sent.platform_id == "p0"
    assert settle_jobs(org.engine, PUSH.push, platform, now=lambda: NOW).records == 0
    again = select(org.engine, PUSH)
    assert (again.to_send, again.unchanged, again.still_rejected) == (0, 2, 1)


def test_a_job_that_refuses_all_makes_its_run_red(org: Org, later: tuple[Ledger, str]) -> None:
    """What was green while it was accepted fails when the platform tells."""
    ledger, url = later
    ledger.tells = False
    ledger.reject |= {contact_id(1), contact_id(2)}
    org.add_contacts(2)
    platform = Counting(url, "settles_later")
    run = select(org.engine, PUSH)
    _deliver_without_waiting(org, platform, run.run_id)
    ledger.tells = True

    settled = settle_jobs(org.engine, PUSH.push, platform, now=lambda: NOW)

    with pytest.raises(PushFailed, match="2 of 2"):
        settle(settled.runs[run.run_id], PushRunOptions(max_failed_share=1.0))
    assert org.run("SELECT state FROM headwater.run WHERE run_id = :id", id=run.run_id)[0].state == "failed"


def test_a_job_that_never_tells_ends_as_unknown(org: Org, later: tuple[Ledger, str]) -> None:
    """After a day nobody waits any longer; where keys are kept once, the records go again."""
    ledger, url = later
    ledger.tells = False
    org.add_contacts(1)
    platform = Counting(url, "settles_later")
    run = select(org.engine, PUSH)
    _deliver_without_waiting(org, platform, run.run_id)
    (row,) = org.run("SELECT max(accepted_at) AS at FROM headwater.accepted")

    settled = settle_jobs(org.engine, PUSH.push, platform, now=lambda: row.at + LONGEST_JOB + timedelta(seconds=1))

    assert settled.runs[run.run_id] == OutcomeCounts(selected=1, unknown=1)
    assert set(org.causes(run.run_id).values()) == {"never_settled"}
    assert select(org.engine, PUSH).to_send == 1


def test_a_passing_failure_waits_its_turn_and_goes_by_itself(org: Org, deduping: tuple[Ledger, str]) -> None:
    """A schedule leaves it out until it is due, counts it, and then sends it though nothing changed."""
    ledger, url = deduping
    org.add_contacts(3)
    ledger.busy.add(contact_id(2))
    platform = Counting(url, "dedupes")
    assert deliver(org, platform, select(org.engine, PUSH).run_id).rejected == 1
    ledger.busy.clear()

    early = select(org.engine, PUSH, run=SCHEDULED)
    assert (early.to_send, early.waiting, early.unchanged) == (0, 1, 2)
    counts = deliver(org, platform, early.run_id)
    assert counts == OutcomeCounts(selected=3, unchanged=2, skipped=1)
    with transaction(org.engine) as connection:
        statement = text("SELECT waiting, still_rejected, still_skipped FROM headwater.push_run WHERE run_id = :run_id")
        assert connection.execute(statement, {"run_id": early.run_id}).one() == (1, 0, 0)

    org.run("UPDATE headwater.sync_error SET next_try_at = now()")
    due = select(org.engine, PUSH, run=SCHEDULED)
    assert deliver(org, platform, due.run_id) == OutcomeCounts(selected=3, unchanged=2, delivered=1)
    assert org.open_errors() == []
    history = org.run("SELECT what FROM headwater.sync_error_event ORDER BY event_id")
    assert [row.what for row in history] == ["failed", "settled"]


def test_pauses_between_tries_grow(org: Org, deduping: tuple[Ledger, str]) -> None:
    """A minute, three, nine: a platform that stays busy is asked less and less."""
    ledger, url = deduping
    org.add_contacts(1)
    ledger.busy.add(contact_id(1))
    pauses = []
    for _ in range(3):
        deliver(org, Counting(url, "dedupes"), select(org.engine, PUSH).run_id)
        (row,) = org.run("SELECT extract(epoch FROM next_try_at - last_at)::int AS pause FROM headwater.sync_error")
        pauses.append(row.pause)

    assert pauses == [60, 180, 540]


def test_a_changed_record_does_not_wait(org: Org, deduping: tuple[Ledger, str]) -> None:
    """It waits as it was; as it is now it may go."""
    ledger, url = deduping
    org.add_contacts(1)
    ledger.busy.add(contact_id(1))
    deliver(org, Counting(url, "dedupes"), select(org.engine, PUSH).run_id)
    org.touch(1, Title="CEO")

    assert select(org.engine, PUSH, run=SCHEDULED).to_send == 1


def test_after_two_cycles_exactly_the_permanent_failures_remain(org: Org, deduping: tuple[Ledger, str]) -> None:
    """Of 200 records ten failed in passing and two for good."""
    ledger, url = deduping
    org.add_contacts(200)
    ledger.busy |= {contact_id(number) for number in range(1, 201, 20)}
    ledger.reject |= {contact_id(7), contact_id(107)}
    platform = Counting(url, "dedupes")
    deliver(org, platform, select(org.engine, PUSH).run_id, batch_size=50, parallel=2)
    assert len(org.open_errors()) == 12
    ledger.busy.clear()

    deliver(org, platform, select(org.engine, PUSH).run_id, batch_size=50)

    assert {record_id for record_id, _, _ in org.open_errors()} == ledger.reject
    assert len(ledger.profiles) == 198
    assert set(ledger.stored.values()) == {1}


def test_a_lost_request_forgets_what_the_platform_held(org: Org, deduping: tuple[Ledger, str]) -> None:
    """A change whose answer was lost and that is taken back afterwards must be sent: the platform may have taken it."""
    ledger, url = deduping
    push = definition(identifiers={"uuid": "Id"}, event=None)
    org.add_contacts(1, LastName="First")
    platform = Counting(url, "dedupes")
    _push(org, push, platform)
    org.touch(1, LastName="Second")
    run = select(org.engine, push)
    ledger.slow.clear()
    with pytest.raises(PushStopped):
        deliver_push(
            org.engine, push, platform, run_id=run.run_id, skip_hook=False, fast_fail=False, batch_size=1,
            now=lambda: NOW, stop_asked=lambda: "enough" if ledger.requests > 1 else "",
        )  # fmt: skip
    ledger.slow.set()
    org.touch(1, minutes=90, LastName="First")

    assert _push(org, push, platform).delivered == 1
    assert ledger.profiles[contact_id(1)]["surname"] == "First"


def test_a_run_that_its_dag_has_overtaken_is_ended(org: Org, deduping: tuple[Ledger, str]) -> None:
    """A killed delivery that nobody takes up again doesn't run for ever."""
    _, url = deduping
    org.add_contacts(2)
    old = select(org.engine, PUSH, run=SCHEDULED)
    new = select(org.engine, PUSH, run=AirflowRun(dag_id="push_contacts", dag_run_id="s2", run_type="scheduled"))

    deliver(org, Counting(url, "dedupes"), new.run_id)

    (row,) = org.run("SELECT state, message FROM headwater.run WHERE run_id = :id", id=old.run_id)
    assert row.state == "failed"
    assert f"run {new.run_id}" in row.message
    assert set(org.causes(old.run_id).values()) == {"abandoned"}


def test_a_selection_that_was_killed_is_ended_after_an_hour(org: Org) -> None:
    """It never got as far as writing anything down."""
    org.run(
        "INSERT INTO headwater.run (kind, org, subject, started_at) VALUES"
        " ('push', 'demo', 'contacts', now() - interval '2 hours'), ('push', 'demo', 'contacts', now())"
    )

    assert bury_old_runs(org.engine) == 1
    states = org.run("SELECT state FROM headwater.run ORDER BY run_id")
    assert [row.state for row in states] == ["failed", "running"]


def _push(org: Org, push: Any, platform: Counting) -> OutcomeCounts:
    run = select(org.engine, push)
    return deliver_push(
        org.engine, push, platform, run_id=run.run_id, skip_hook=False, fast_fail=False, batch_size=1, now=lambda: NOW
    )


def _deliver_without_waiting(org: Org, platform: Counting, run_id: int) -> OutcomeCounts:
    return deliver(org, platform, run_id, job_pauses=())

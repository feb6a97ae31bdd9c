"""Delivery against a real PostgreSQL and a real Insider One (sandbox) over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from include.activation.options import PushMode, PushRunOptions
from include.activation.verdict import settle
from include.destinations.protocol import Batch, BatchResult, Destination
from include.errors import AuthError, FastFailed, NotReady, PushFailed, RateLimited, Unreachable
from include.records import OutcomeCounts
from include.warehouse.pushes.sync_errors import causes_of_run
from tests.activation.source import Org, contact_id, definition, deliver, insider_one, select
from tests.sandbox.insider_one.running import Sandbox, free_port


class Looking:
    """Be a destination that looks at something before each request."""

    def __init__(self, inner: Destination, look: Callable[[], None]) -> None:
        self._inner = inner
        self._look = look

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def send(self, batch: Batch) -> BatchResult:
        self._look()
        return self._inner.send(batch)


def push_once(org: Org, platform: Sandbox, **changes: object) -> OutcomeCounts:
    push = definition(**changes)
    run = select(org.engine, push)
    return deliver(org.engine, push, insider_one(platform.url), run.run_id)


def test_every_contact_becomes_a_profile_with_one_event(org: Org, platform: Sandbox) -> None:
    """A first push delivers each record once."""
    org.add_account(1)
    org.add_contacts(3, AccountId="001000000000001AAA", Title="CTO")

    counts = push_once(org, platform)

    assert counts == OutcomeCounts(selected=3, delivered=3)
    assert platform.counts["events"] == 3
    profile = platform.get(f"/sandbox/profile?uuid={contact_id(2)}")
    assert profile["attributes"]["birthday"] == "1990-01-02T00:00:00Z"
    assert profile["attributes"]["custom"] == {"title": "CTO", "account_name": "Firm 1", "source": "salesforce"}


def test_a_delivery_locks_no_table_while_it_sends(org: Org, platform: Sandbox) -> None:
    """A platform takes hours: whoever adds a column meanwhile need not wait, nor those who would wait behind them."""
    org.add_contacts(3)
    push = definition()
    run = select(org.engine, push)
    seen: list[object] = []

    def look() -> None:
        seen.extend(org.run("SELECT mode FROM pg_locks WHERE relation = 'salesforce_demo.\"Contact\"'::regclass"))

    looking = Looking(insider_one(platform.url), look)
    assert deliver(org.engine, push, looking, run.run_id) == OutcomeCounts(selected=3, delivered=3)
    assert seen == []


def test_delivering_twice_sends_once(org: Org, platform: Sandbox) -> None:
    """A second run finds everything unchanged and makes no request."""
    org.add_contacts(3)
    push_once(org, platform)
    before = platform.counts

    counts = push_once(org, platform)

    assert counts == OutcomeCounts(selected=3, unchanged=3)
    assert platform.counts == before


def test_exactly_the_changed_records_go_out(org: Org, platform: Sandbox) -> None:
    """Of nine records the two that changed in a mapped field are sent, with an event each."""
    org.add_contacts(9)
    push_once(org, platform)
    org.touch(4, Title="CEO")
    org.touch(7, LastName="Byron")

    counts = push_once(org, platform)

    assert counts == OutcomeCounts(selected=9, unchanged=7, delivered=2)
    assert platform.counts["events"] == 11


def test_a_change_of_another_field_is_no_change(org: Org, platform: Sandbox) -> None:
    """A new time stamp alone sends nothing."""
    org.add_contacts(2)
    push_once(org, platform)
    org.touch(1, MailingCity="Bonn")

    assert push_once(org, platform) == OutcomeCounts(selected=2, unchanged=2)


def test_a_changed_account_sends_its_contacts_without_an_event(org: Org, platform: Sandbox) -> None:
    """What comes from a related record updates the profile; the contact itself was not updated."""
    org.add_account(1)
    org.add_contacts(2, AccountId="001000000000001AAA")
    push_once(org, platform)
    org.run('UPDATE salesforce_demo."Account" SET "Name" = \'New name\'')

    counts = push_once(org, platform)

    assert counts == OutcomeCounts(selected=2, delivered=2)
    assert platform.counts["events"] == 2
    assert platform.get(f"/sandbox/profile?uuid={contact_id(1)}")["attributes"]["custom"]["account_name"] == "New name"


def test_a_new_mapping_that_says_the_same_sends_nothing(org: Org, platform: Sandbox) -> None:
    """The second stage compares payloads: another way to the same payload is no change."""
    org.add_contacts(3)
    push_once(org, platform)

    counts = push_once(org, platform, phone={"default_country": "DE"})

    assert counts == OutcomeCounts(selected=3, unchanged=3)
    again = select(org.engine, definition(phone={"default_country": "DE"}))
    assert (again.unchanged, again.to_send) == (3, 0)


def test_skip_hook_arrives_in_the_request_body(org: Org, platform: Sandbox) -> None:
    """The platform is told to start no journeys."""
    org.add_contacts(1)
    push, options = definition(), PushRunOptions(skip_hook=True)
    run = select(org.engine, push, options=options)

    deliver(org.engine, push, insider_one(platform.url), run.run_id, options=options)

    (request,) = platform.get("/sandbox/requests")["requests"]
    assert request["skip_hook"] is True


def test_fast_fail_stops_at_the_first_failed_batch(org: Org, platform: Sandbox) -> None:
    """What was sent before is recorded, the rest is held and nothing more is sent."""
    org.add_contacts(9)
    platform.fault(skip=1, reject_indexes=[1])
    push, options = definition(), PushRunOptions(fast_fail=True, batch_size=3)
    run = select(org.engine, push)

    with pytest.raises(FastFailed):
        deliver(org.engine, push, insider_one(platform.url), run.run_id, options=options)

    outcomes = org.outcomes(run.run_id)
    assert [outcomes[contact_id(number)] for number in range(1, 10)] == [
        *["delivered"] * 3, "delivered", "rejected", "delivered", *["held"] * 3,
    ]  # fmt: skip
    assert platform.counts["events"] == 5


def test_without_fast_fail_the_run_goes_on(org: Org, platform: Sandbox) -> None:
    """The failed record is reported; the others arrive."""
    org.add_contacts(9)
    platform.fault(skip=1, reject_indexes=[1])
    push, options = definition(), PushRunOptions(batch_size=3)
    run = select(org.engine, push)

    counts = deliver(org.engine, push, insider_one(platform.url), run.run_id, options=options)

    assert counts == OutcomeCounts(selected=9, delivered=8, rejected=1)
    assert org.open_errors() == [(contact_id(5), "rejected", 1)]
    settle(counts, options)


def test_held_records_go_when_the_task_is_cleared(org: Org, platform: Sandbox) -> None:
    """Delivering the same run again sends what was held, and nothing else."""
    org.add_contacts(6)
    platform.fault(reject_indexes=[0])
    push, options = definition(), PushRunOptions(fast_fail=True, batch_size=2)
    run = select(org.engine, push)
    with pytest.raises(FastFailed):
        deliver(org.engine, push, insider_one(platform.url), run.run_id, options=options)

    counts = deliver(org.engine, push, insider_one(platform.url), run.run_id, options=options)

    assert counts == OutcomeCounts(selected=6, delivered=5, rejected=1)
    assert platform.counts["events"] == 5


def test_a_run_whose_records_all_fail_is_red(org: Org, platform: Sandbox) -> None:
    """HTTP 200 with every user refused is a failure, whatever share is allowed."""
    org.add_contacts(3)
    platform.fault(reject_all=True)
    push, options = definition(), PushRunOptions(max_failed_share=1.0)
    run = select(org.engine, push, options=options)

    counts = deliver(org.engine, push, insider_one(platform.url), run.run_id, options=options)

    assert counts == OutcomeCounts(selected=3, rejected=3)
    with pytest.raises(PushFailed, match="3 of 3"):
        settle(counts, options)
    assert org.run("SELECT state FROM headwater.run WHERE run_id = :id", id=run.run_id)[0].state == "failed"


def test_refused_credentials_hold_what_is_left(org: Org, platform: Sandbox) -> None:
    """The first refusal of the connection stops everything; the next delivery goes on."""
    org.add_contacts(4)
    platform.fault(skip=1, status=403)
    push, options = definition(), PushRunOptions(batch_size=2)
    run = select(org.engine, push)

    with pytest.raises(AuthError):
        deliver(org.engine, push, insider_one(platform.url), run.run_id, options=options)

    assert sorted(org.outcomes(run.run_id).values()) == ["delivered", "delivered", "held", "held"]
    counts = deliver(org.engine, push, insider_one(platform.url), run.run_id, options=options)
    assert counts == OutcomeCounts(selected=4, delivered=4)
    assert platform.counts["events"] == 4


def test_an_unreachable_platform_holds_everything(org: Org) -> None:
    """Nothing was sent, so nothing is unknown."""
    org.add_contacts(2)
    push = definition()
    run = select(org.engine, push)

    with pytest.raises(Unreachable):
        deliver(org.engine, push, insider_one(f"http://127.0.0.1:{free_port()}"), run.run_id)

    assert set(org.outcomes(run.run_id).values()) == {"held"}
    assert org.run("SELECT count(*) AS n FROM headwater.outbox")[0].n == 0


def test_a_lost_answer_is_unknown_and_its_event_is_never_sent_again(org: Org, platform: Sandbox) -> None:
    """The platform may have the events: later runs send the profiles, not the events."""
    org.add_contacts(2)
    platform.fault(after_store=True, drop_answer=True)
    push = definition()
    run = select(org.engine, push)

    counts = deliver(org.engine, push, insider_one(platform.url), run.run_id)

    assert counts == OutcomeCounts(selected=2, unknown=2)
    assert platform.counts["events"] == 2
    assert push_once(org, platform) == OutcomeCounts(selected=2, delivered=2)
    assert platform.counts["events"] == 2
    assert [error[1] for error in org.open_errors()] == ["unknown", "unknown"]


def test_a_refused_record_waits_for_a_change(org: Org, platform: Sandbox) -> None:
    """It is not sent again as it is, nor called unchanged; changed it goes with its event, and its error is settled."""
    org.add_contacts(2)
    platform.fault(reject_indexes=[0])
    push_once(org, platform)
    assert push_once(org, platform) == OutcomeCounts(selected=2, unchanged=1, skipped=1)
    assert len(org.open_errors()) == 1
    org.touch(1, Title="CEO")

    assert push_once(org, platform) == OutcomeCounts(selected=2, unchanged=1, delivered=1)
    assert org.open_errors() == []
    assert platform.counts["events"] == 2


def test_the_causes_of_a_run_are_counted_with_an_example(org: Org, platform: Sandbox) -> None:
    """Whoever reads the log sees what to mend without asking the warehouse."""
    org.add_contacts(3)
    platform.fault(reject_indexes=[0, 2])
    push = definition()
    run = select(org.engine, push)
    deliver(org.engine, push, insider_one(platform.url), run.run_id)

    [cause] = causes_of_run(org.engine, run.run_id)

    assert (cause.records, cause.outcome) == (2, "rejected")
    assert cause.cause
    assert cause.message
    assert cause.example in [error[0] for error in org.open_errors()]


def test_a_named_record_is_tried_again_though_it_was_refused(org: Org, platform: Sandbox) -> None:
    """A person who names a record wants it sent."""
    org.add_contacts(2)
    platform.fault(reject_indexes=[0])
    push_once(org, platform)
    push = definition()

    run = select(org.engine, push, record_ids=(contact_id(1),))
    counts = deliver(org.engine, push, insider_one(platform.url), run.run_id)

    assert counts == OutcomeCounts(selected=1, delivered=1)
    assert platform.counts["events"] == 2


def test_all_sends_every_profile_but_no_event_twice(org: Org, platform: Sandbox) -> None:
    """The mode `all` repairs profiles; resend repeats events too."""
    org.add_contacts(2)
    push_once(org, platform)
    push = definition()

    run = select(org.engine, push, mode=PushMode.ALL)
    assert deliver(org.engine, push, insider_one(platform.url), run.run_id).delivered == 2
    assert platform.counts["events"] == 2
    assert set(org.causes(run.run_id).values()) == {"event_sent_before"}
    run = select(org.engine, push, resend=True)
    assert deliver(org.engine, push, insider_one(platform.url), run.run_id, resend=True).delivered == 2
    assert platform.counts["events"] == 4


def test_every_run_sends_an_event_a_run(org: Org, platform: Sandbox) -> None:
    """The key holds the run: the same Airflow run again sends nothing twice."""
    org.add_contacts(2)
    event = {"name": "seen", "when": "every_run"}

    assert push_once(org, platform, event=event).delivered == 2
    assert push_once(org, platform, event=event).delivered == 2
    assert platform.counts["events"] == 4


def test_records_without_identifier_are_skipped_with_their_reason(org: Org, platform: Sandbox) -> None:
    """A record that nobody could find at the platform ends as skipped."""
    org.add_contact(1, Email="no address")
    org.add_contact(2)

    counts = push_once(org, platform, identifiers={"email": "Email"})

    assert counts == OutcomeCounts(selected=2, delivered=1, skipped=1)
    assert push_once(org, platform, identifiers={"email": "Email"}) == OutcomeCounts(selected=2, unchanged=1, skipped=1)


def test_two_records_of_one_person_go_one_after_the_other(org: Org, platform: Sandbox) -> None:
    """In one request they would contradict each other; the newer is written last."""
    org.add_contact(1, Email="same@example.com", Title="New", SystemModstamp="2026-11-21 09:00+00")
    org.add_contact(2, Email="same@example.com", Title="Old")

    counts = push_once(org, platform, identifiers={"email": "Email"})

    assert counts.delivered == 2
    assert len(platform.get("/sandbox/requests")["requests"]) == 2
    profile = platform.get("/sandbox/profile?email=same@example.com")
    assert profile["attributes"]["custom"]["title"] == "New"


def test_an_event_that_the_platform_would_drop_is_left_out(org: Org, platform: Sandbox) -> None:
    """The profile goes, the ledger says that the event was too old."""
    org.add_contact(1, SystemModstamp="2025-01-01 00:00+00", CreatedDate="2025-01-01 00:00+00")
    push = definition(event={"name": "created", "time": "CreatedDate"})
    run = select(org.engine, push)

    counts = deliver(org.engine, push, insider_one(platform.url), run.run_id)

    assert counts == OutcomeCounts(selected=1, delivered=1)
    assert platform.counts["events"] == 0
    assert org.causes(run.run_id) == {contact_id(1): "event_expired"}


def test_a_record_deleted_after_selection_is_skipped(org: Org, platform: Sandbox) -> None:
    """Selected records still end in an outcome when they vanish meanwhile."""
    org.add_contacts(2)
    push = definition()
    run = select(org.engine, push)
    org.run('UPDATE salesforce_demo."Contact" SET _deleted_at = now() WHERE "Id" = :id', id=contact_id(1))

    counts = deliver(org.engine, push, insider_one(platform.url), run.run_id)

    assert counts == OutcomeCounts(selected=2, delivered=1, skipped=1)


def test_the_run_row_holds_the_counts(org: Org, platform: Sandbox) -> None:
    """The ledger of runs says what the caller was told."""
    org.add_contacts(3)
    platform.fault(reject_indexes=[2])

    counts = push_once(org, platform)

    columns = ", ".join(asdict(counts))
    (row,) = org.run(f"SELECT {columns} FROM headwater.push_run WHERE settled_at IS NOT NULL")
    assert row._asdict() == asdict(counts)


def test_large_payloads_are_split_by_bytes(org: Org, platform: Sandbox) -> None:
    """A batch is as large as a request may be; every event is written down with its own request."""
    org.add_contacts(6, Title="x" * 1_000_000)

    assert push_once(org, platform) == OutcomeCounts(selected=6, delivered=6)
    rows = org.run("SELECT number, records, events, state FROM headwater.push_request ORDER BY number")
    assert sum(row.events for row in rows) == 6
    assert {row.state for row in rows} == {"answered"}
    assert len(rows) > 1
    moved = org.run("SELECT request, count(*) AS n FROM headwater.outbox GROUP BY request ORDER BY request")
    assert [(row.request, row.n) for row in moved] == [(row.number, row.events) for row in rows]


def test_throttling_beyond_our_patience_holds_and_the_retry_goes_on(org: Org, platform: Sandbox) -> None:
    """The platform asks for a longer wait than a task should sleep: the task ends, its retry sends the rest."""
    org.add_contacts(4)
    platform.fault(skip=1, status=429, retry_after="3600")
    push, options = definition(), PushRunOptions(batch_size=2)
    run = select(org.engine, push)

    with pytest.raises(RateLimited) as caught:
        deliver(org.engine, push, insider_one(platform.url), run.run_id, options=options)

    assert caught.value.retry_after_seconds == 3600
    counts = deliver(org.engine, push, insider_one(platform.url), run.run_id, options=options)
    assert counts == OutcomeCounts(selected=4, delivered=4)
    assert platform.counts["events"] == 4


def test_a_finished_run_delivered_again_changes_nothing(org: Org, platform: Sandbox) -> None:
    """A cleared task that had nothing left to do says the same as before."""
    org.add_contacts(3)
    platform.fault(reject_indexes=[1])
    push = definition()
    run = select(org.engine, push)
    first = deliver(org.engine, push, insider_one(platform.url), run.run_id)
    before = platform.counts

    assert deliver(org.engine, push, insider_one(platform.url), run.run_id) == first
    assert platform.counts == before


def test_a_run_of_another_push_is_refused(org: Org, platform: Sandbox) -> None:
    """A run id that got mixed up sends nothing."""
    org.add_contacts(1)
    run = select(org.engine, definition())

    with pytest.raises(NotReady, match="belongs to the push"):
        deliver(org.engine, definition(push="leads"), insider_one(platform.url), run.run_id)


def test_causes_and_messages_hold_nobody_s_data(org: Org, platform: Sandbox) -> None:
    """What the ledgers keep of a refused record can be shown to anybody."""
    for number in (1, 2):
        org.add_contact(number, LastName="Canaryname", Email=f"canary{number}@example.com")
    platform.fault(reject_all=True)

    push_once(org, platform, identifiers={"uuid": "Id", "email": "Email"})

    kept = org.run("SELECT cause || message AS words FROM headwater.outcome")
    kept += org.run("SELECT cause || message AS words FROM headwater.sync_error")
    kept += org.run("SELECT message AS words FROM headwater.run")
    assert len(kept) >= 5
    assert not any("canary" in row.words.casefold() for row in kept)

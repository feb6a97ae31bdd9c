"""Whoever is still there keeps the profile, however a record that is gone was known; and a person's word counts."""

from __future__ import annotations

from typing import Any

from include.activation.options import PushMode
from include.activation.select import select_push
from include.config.loader import Definitions
from include.destinations.protocol import Batch, BatchResult
from include.records import AirflowRun, Outcome, OutcomeCounts, ProfileAction, Receipt
from include.warehouse.pushes.retries import Decision, decide
from tests.activation.noted import Noted
from tests.activation.source import OPTIONS, Org, contact_id, definition, deliver, select

DELETES = {"gone": "delete"}
ONLY_CTOS = {"object": "Contact", "filter": [{"field": "Title", "value": "CTO"}]}


def push_once(org: Org, platform: Noted, **changes: Any) -> OutcomeCounts:
    push = definition(**changes)
    return deliver(org.engine, push, platform, select(org.engine, push).run_id)


def vanish(org: Org, number: int) -> None:
    org.run('UPDATE salesforce_demo."Contact" SET _deleted_at = now() WHERE "Id" = :id', id=contact_id(number))


def test_a_survivor_that_takes_over_the_address_keeps_the_profile(org: Org) -> None:
    """The merge and the change of the address come in one run: the profile that was just written is not deleted."""
    org.add_contacts(3)
    platform = Noted()
    push_once(org, platform, **DELETES)
    vanish(org, 1)
    vanish(org, 3)
    org.touch(2, Email="ADA1@example.com")
    push = definition(**DELETES)
    run = select(org.engine, push)

    counts = deliver(org.engine, push, platform, run.run_id)

    assert counts == OutcomeCounts(selected=3, delivered=2, skipped=1)
    assert org.causes(run.run_id)[contact_id(1)] == "identity_in_use"
    assert [each.record_id for each in platform.profiles_of(ProfileAction.DELETE)] == [contact_id(3)]


def test_a_survivor_that_was_written_before_a_stop_keeps_the_profile(org: Org) -> None:
    """The delivery that goes on does not see it again, but the ledger does."""
    org.add_contacts(2)
    platform = Noted()
    push_once(org, platform, **DELETES)
    vanish(org, 1)
    waiting = select(org.engine, definition(**DELETES))
    org.touch(2, Email="ada1@example.com")
    push_once(org, Noted(), gone="ignore")

    deliver(org.engine, definition(**DELETES), platform, waiting.run_id)

    assert org.causes(waiting.run_id) == {contact_id(1): "identity_in_use"}
    assert platform.profiles_of(ProfileAction.DELETE) == []


def test_an_address_is_the_same_in_any_case(org: Org) -> None:
    """As it is to every platform."""
    org.add_contact(1, Email="same@example.com")
    org.add_contact(2, Email="Same@Example.com")
    platform = Noted()
    push_once(org, platform, **DELETES)
    vanish(org, 1)
    push_once(org, platform, **DELETES)

    assert platform.profiles_of(ProfileAction.DELETE) == []


def test_another_push_over_the_connection_keeps_its_people(org: Org) -> None:
    """Who leaves one source for another, as a converted lead does, is still somebody at the platform."""
    org.add_contacts(2, Title="CTO")
    platform = Noted()
    leaving = definition(source=ONLY_CTOS, **DELETES)
    push_once(org, platform, source=ONLY_CTOS, **DELETES)
    org.touch(1, Title="CEO")
    org.touch(2, Title="CEO")
    staying = definition(push="others", identifiers={"email": "Email"}, event=None)
    run = select(org.engine, staying, record_ids=(contact_id(1),))
    deliver(org.engine, staying, platform, run.run_id)
    both = Definitions(orgs={}, pushes={each.push: each for each in (leaving, staying)}, checks={}, errors=())

    selection = select_push(
        org.engine,
        leaving,
        mode=PushMode.CHANGED,
        run=AirflowRun(),
        options=OPTIONS,
        neighbours=both.neighbours(leaving),
    )
    deliver(org.engine, leaving, platform, selection.run_id)

    assert [each.record_id for each in platform.profiles_of(ProfileAction.DELETE)] == [contact_id(2)]


def test_a_definition_that_asks_no_more_is_heeded(org: Org) -> None:
    """Somebody saw in the approval what would be deleted, and took `gone` out before approving the rest."""
    org.add_contacts(2)
    platform = Noted()
    push_once(org, platform, **DELETES)
    vanish(org, 1)
    org.touch(2, Title="CEO")
    run = select(org.engine, definition(**DELETES))
    assert run.guard

    counts = deliver(org.engine, definition(), platform, run.run_id)

    assert counts == OutcomeCounts(selected=2, delivered=1, skipped=1)
    assert platform.profiles_of(ProfileAction.DELETE) == []
    assert select(org.engine, definition(**DELETES)).gone == 1


class Refusing(Noted):
    """A platform on which we may not delete."""

    def send(self, batch: Batch) -> BatchResult:
        if batch.records[0].action is ProfileAction.UPSERT:
            return super().send(batch)
        refused = [
            Receipt(record_id=each.record_id, outcome=Outcome.REJECTED, cause="no_right") for each in batch.records
        ]
        return BatchResult(receipts=tuple(refused))


def test_a_deletion_that_was_refused_is_tried_again_when_a_person_asks(org: Org) -> None:
    """Until then it is left alone, as any refused record."""
    org.add_contacts(1)
    push_once(org, Refusing(), **DELETES)
    vanish(org, 1)
    push_once(org, Refusing(), **DELETES)
    assert push_once(org, Refusing(), **DELETES) == OutcomeCounts(selected=0)
    (error,) = org.run("SELECT error_id FROM headwater.sync_error")
    decide(org.engine, "demo", Decision.RETRY, who="ann", error_ids=[error.error_id])
    platform, push = Noted(), definition(**DELETES)

    counts = deliver(org.engine, push, platform, select(org.engine, push, record_ids=(contact_id(1),)).run_id)

    assert counts == OutcomeCounts(selected=1, delivered=1)
    assert len(platform.profiles_of(ProfileAction.DELETE)) == 1
    assert org.open_errors() == []

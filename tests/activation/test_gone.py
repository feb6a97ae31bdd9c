"""What a push does about records that are gone: never by accident, never to somebody who is still there."""

from __future__ import annotations

from typing import Any

import pytest

from include.activation.options import PushMode, PushRunOptions
from include.records import OutcomeCounts, ProfileAction, Window
from tests.activation.noted import Noted
from tests.activation.source import CHANGED_AT, NOW, Org, contact_id, definition, deliver, select

DELETES = {"gone": "delete"}


def push_once(org: Org, platform: Noted, **changes: Any) -> OutcomeCounts:
    push = definition(**changes)
    return deliver(org.engine, push, platform, select(org.engine, push).run_id)


def vanish(org: Org, *numbers: int) -> None:
    org.run(
        'UPDATE salesforce_demo."Contact" SET _deleted_at = now() WHERE "Id" = ANY(:ids)',
        ids=[contact_id(number) for number in numbers],
    )


@pytest.mark.parametrize(("policy", "action"), [("delete", "delete"), ("clear", "clear")])
def test_what_was_delivered_and_is_deleted_is_followed(org: Org, policy: str, action: str) -> None:
    """By the identifiers under which the platform knows it; a second run has nothing more to do."""
    org.add_contacts(3)
    platform = Noted()
    push_once(org, platform, gone=policy)
    vanish(org, 2)

    counts = push_once(org, platform, gone=policy)

    assert counts == OutcomeCounts(selected=3, unchanged=2, delivered=1)
    (profile,) = platform.profiles_of(ProfileAction(action))
    assert profile.identifiers == {"uuid": contact_id(2), "email": "ada2@example.com"}
    assert push_once(org, platform, gone=policy) == OutcomeCounts(selected=2, unchanged=2)


def test_clearing_empties_what_the_push_sets(org: Org) -> None:
    """Every mapped and fixed attribute, and no event."""
    org.add_contacts(1)
    platform = Noted()
    push_once(org, platform, gone="clear")
    vanish(org, 1)
    push_once(org, platform, gone="clear")

    (profile,) = platform.profiles_of(ProfileAction.CLEAR)

    assert profile.attributes == {"name": None, "surname": None, "birthday": None}
    assert profile.custom_attributes == {"title": None, "account_name": None, "source": None}
    assert profile.events == ()


def test_by_default_nothing_is_done(org: Org) -> None:
    """`ignore` leaves the profile as it is."""
    org.add_contacts(2)
    platform = Noted()
    push_once(org, platform)
    vanish(org, 1)

    assert push_once(org, platform) == OutcomeCounts(selected=1, unchanged=1)
    assert platform.profiles_of(ProfileAction.DELETE) == []


def test_what_was_never_delivered_is_not_deleted(org: Org) -> None:
    """Somebody else's profile may bear the same address."""
    org.add_contacts(2)
    vanish(org, 1)

    assert push_once(org, Noted(), **DELETES) == OutcomeCounts(selected=1, delivered=1)


def test_a_record_that_leaves_the_filter_is_gone(org: Org) -> None:
    """And one that comes back is sent as if it were new."""
    org.add_contacts(2, Title="CTO")
    platform = Noted()
    source = {"object": "Contact", "filter": [{"field": "Title", "value": "cto"}]}
    push_once(org, platform, source=source, **DELETES)
    org.touch(1, Title="CEO")
    push_once(org, platform, source=source, **DELETES)
    assert [each.record_id for each in platform.profiles_of(ProfileAction.DELETE)] == [contact_id(1)]

    org.touch(1, minutes=120, Title="CTO")
    counts = push_once(org, platform, source=source, **DELETES)

    assert counts == OutcomeCounts(selected=2, unchanged=1, delivered=1)
    assert platform.batches[-1][0].action is ProfileAction.UPSERT


def test_the_loser_of_a_merge_does_not_take_its_master_along(org: Org) -> None:
    """Both are one person at the platform: the profile stays, and the ledger says why."""
    org.add_contact(1, Email="same@example.com")
    org.add_contact(2, Email="same@example.com")
    platform = Noted()
    push_once(org, platform, **DELETES)
    vanish(org, 1)
    push = definition(**DELETES)
    run = select(org.engine, push)

    counts = deliver(org.engine, push, platform, run.run_id)

    assert counts == OutcomeCounts(selected=2, unchanged=1, skipped=1)
    assert org.causes(run.run_id) == {contact_id(1): "identity_in_use"}
    assert platform.profiles_of(ProfileAction.DELETE) == []
    assert push_once(org, platform, **DELETES) == OutcomeCounts(selected=1, unchanged=1)


def test_who_came_back_before_the_delivery_is_sent(org: Org) -> None:
    """The row as it is now decides, not the one that was selected."""
    org.add_contacts(2)
    platform = Noted()
    push_once(org, platform, **DELETES)
    vanish(org, 1)
    push = definition(**DELETES)
    run = select(org.engine, push)
    org.run('UPDATE salesforce_demo."Contact" SET _deleted_at = NULL')

    deliver(org.engine, push, platform, run.run_id)

    assert platform.profiles_of(ProfileAction.DELETE) == []


@pytest.mark.parametrize(("vanished", "asks"), [(1, False), (2, True)])
def test_more_than_a_share_waits_for_a_person(org: Org, vanished: int, asks: bool) -> None:
    """One of twenty is five percent, and five percent is not more than five percent."""
    org.add_contacts(20)
    push_once(org, Noted(), **DELETES)
    vanish(org, *range(1, vanished + 1))

    guard = select(org.engine, definition(**DELETES)).guard

    assert (guard is not None) is asks
    if guard:
        assert "2 of 20 delivered records (10.0%) are gone" in guard


def test_skip_hook_does_not_open_the_guard(org: Org) -> None:
    """It is about journeys, not about deleting."""
    org.add_contacts(4)
    push_once(org, Noted(), **DELETES)
    vanish(org, 1, 2)

    assert select(org.engine, definition(**DELETES), options=PushRunOptions(skip_hook=True)).guard


def test_a_backfill_looks_only_at_what_is_there(org: Org) -> None:
    """Its interval says nothing about deletions."""
    org.add_contacts(3)
    push_once(org, Noted(), **DELETES)
    vanish(org, 1)

    run = select(org.engine, definition(**DELETES), mode=PushMode.INTERVAL, interval=Window(low=CHANGED_AT, high=NOW))

    assert (run.selected, run.gone) == (2, 0)

"""A delivery that is killed at any moment, and then run again."""

from __future__ import annotations

from collections import Counter

import pytest

from include.activation.deliver import hold_push
from include.activation.options import PushRunOptions
from include.records import OutcomeCounts
from tests.activation.dying import deliver_and_die
from tests.activation.source import Org, contact_id, definition, deliver, insider_one, select
from tests.sandbox.insider_one.running import Sandbox

OPTIONS = PushRunOptions(batch_size=2)
MOMENTS = [("commit", number) for number in range(1, 15)]
MOMENTS += [("before_send", 1), ("before_send", 2), ("after_send", 1), ("after_send", 2)]


def kill(org: Org, platform: Sandbox, run_id: int, moment: str, number: int) -> bool:
    url = org.engine.url.render_as_string(hide_password=False)
    return deliver_and_die(url, platform.url, run_id, moment, number)


def events_per_record(platform: Sandbox) -> Counter[str]:
    events = platform.get("/sandbox/events?limit=1000")["events"]
    return Counter(each["insider_id"] for each in events)


@pytest.mark.parametrize(("moment", "number"), MOMENTS)
def test_no_event_is_sent_twice_and_no_record_is_lost(org: Org, platform: Sandbox, moment: str, number: int) -> None:
    """Killed at any commit or around any request, and run again: every record has one outcome, no event is doubled."""
    org.add_contacts(5)
    push = definition()
    run = select(org.engine, push)
    killed = kill(org, platform, run.run_id, moment, number)

    counts = deliver(org.engine, push, insider_one(platform.url), run.run_id, options=OPTIONS)

    assert counts.delivered + counts.unknown == counts.selected == counts.settled == 5
    assert counts.unknown <= (2 if killed else 0)
    assert set(events_per_record(platform).values()) == {1}
    assert platform.counts["events"] >= counts.delivered
    assert len(org.open_errors()) == counts.unknown


def test_a_request_that_was_written_but_not_sent_is_sent_after_all(org: Org, platform: Sandbox) -> None:
    """While one request is under way the next is written down; nothing has happened to that: its events are free."""
    org.add_contacts(40)
    push = definition()
    run = select(org.engine, push)
    states: list[str] = []
    for number in range(1, 12):
        kill(org, platform, run.run_id, "commit", number)
        rows = org.run("SELECT state FROM headwater.push_request WHERE run_id = :id ORDER BY number", id=run.run_id)
        states = [row.state for row in rows]
        if "written" in states:
            break
    assert states[-1] == "written"

    counts = deliver(org.engine, push, insider_one(platform.url), run.run_id, options=OPTIONS)

    unknown = 2 * (states.count("lost") + states.count("sent"))
    assert counts == OutcomeCounts(selected=40, delivered=40 - unknown, unknown=unknown)
    assert set(events_per_record(platform).values()) == {1}


def test_another_run_settles_what_a_killed_one_left(org: Org, platform: Sandbox) -> None:
    """The next scheduled run finds the lost request, marks its events unknown, and sends their profiles alone."""
    org.add_contacts(2)
    push = definition()
    first = select(org.engine, push)
    kill(org, platform, first.run_id, "before_send", 1)
    second = select(org.engine, push)

    counts = deliver(org.engine, push, insider_one(platform.url), second.run_id, options=OPTIONS)

    assert counts == OutcomeCounts(selected=2, delivered=2)
    assert platform.counts["events"] == 0
    assert org.outcomes(first.run_id) == {contact_id(1): "unknown", contact_id(2): "unknown"}
    assert [outcome for _, outcome, _ in org.open_errors()] == ["unknown", "unknown"]


def test_what_was_held_meanwhile_is_still_known_as_lost(org: Org, platform: Sandbox) -> None:
    """Somebody held a run whose delivery had been killed: the next one says unknown of what was under way."""
    org.add_contacts(4)
    push = definition()
    first = select(org.engine, push)
    kill(org, platform, first.run_id, "after_send", 1)
    hold_push(org.engine, run_id=first.run_id, cause="not approved")

    deliver(org.engine, push, insider_one(platform.url), select(org.engine, push).run_id, options=OPTIONS)

    assert sorted(org.outcomes(first.run_id).values()) == ["held", "held", "unknown", "unknown"]
    (row,) = org.run("SELECT held, unknown FROM headwater.push_run WHERE run_id = :id", id=first.run_id)
    assert (row.held, row.unknown) == (2, 2)
    assert set(events_per_record(platform).values()) == {1}

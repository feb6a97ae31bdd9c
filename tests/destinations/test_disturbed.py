"""Whatever breaks on the way to a platform that knows people and events again: each is there once at the end."""

from __future__ import annotations

from typing import Any

import pytest

from include.destinations.protocol import BatchResult
from include.records import Profile
from tests.destinations import hubspot_line, intercom_line
from tests.sandbox.running import Running

PEOPLE = 120
BREAKS: list[dict[str, Any]] = [
    {"share": 0.08, "drop_answer": True, "after_store": True, "times": 10_000},
    {"share": 0.08, "drop_answer": True, "times": 10_000},
    {"share": 0.06, "status": 504, "after_store": True, "times": 10_000},
    {"share": 0.06, "status": 503, "times": 10_000},
    {"share": 0.04, "status": 429, "retry_after": "1", "times": 10_000},
]


def until_all_arrived(send: Any, people: list[Profile]) -> int:
    """Send as later runs would: whoever may be retried, until nobody is left; return how many rounds that took."""
    rounds = 0
    while people:
        rounds += 1
        assert rounds < 15, f"{len(people)} records never arrive"
        again = []
        for start in range(0, len(people), 40):
            some = people[start : start + 40]
            result: BatchResult = send(*some)
            for record, receipt in zip(some, result.receipts, strict=True):
                assert receipt.outcome in ("delivered", "held") or receipt.retryable, receipt
                if receipt.outcome != "delivered":
                    again.append(record)
        people = again
    return rounds


@pytest.mark.parametrize("search_delay", [0, 3600])
def test_intercom_holds_each_person_and_event_once(intercom: Running, search_delay: int) -> None:
    """Also while its search knows nobody yet."""
    intercom.post("/sandbox/search_delay", {"seconds": search_delay})
    for fault in BREAKS:
        intercom.fault(**fault)
    people = [intercom_line.person(number, with_event=True) for number in range(PEOPLE)]
    until_all_arrived(intercom_line.Line(intercom.url).send, people)
    held = intercom.all("contacts")
    assert sorted((one["external_id"], one["name"]) for one in held) == sorted(
        (f"u{number}", f"Ada {number}") for number in range(PEOPLE)
    )
    events = intercom.all("events")
    assert sorted(one["contact"] for one in events) == sorted(one["id"] for one in held)
    assert sum(one["repeats"] for one in events) > 0, "no answer to an event was lost, so nothing was tried"


def test_hubspot_holds_each_person_and_event_once(hubspot: Running) -> None:
    """In whole batches that are sent again."""
    for fault in BREAKS:
        hubspot.fault(**fault)
    people = [hubspot_line.person(number, with_event=True) for number in range(PEOPLE)]
    for start in range(0, PEOPLE, 8):  # many requests, so that many are broken
        until_all_arrived(hubspot_line.Line(hubspot.url).send, people[start : start + 8])
    held = [one["properties"] for one in hubspot.all("contacts")]
    assert sorted((one["email"], one["firstname"]) for one in held) == sorted(
        (f"p{number}@example.com", f"Ada {number}") for number in range(PEOPLE)
    )
    assert sorted(one["contact"] for one in hubspot.all("events")) == sorted(one["hs_object_id"] for one in held)
    assert hubspot.counts["by_status"]["0"] > 0

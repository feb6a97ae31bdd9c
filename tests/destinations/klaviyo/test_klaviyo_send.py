"""Sending to the sandbox over real HTTP: jobs, their errors, events that are never stored twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from include.destinations.klaviyo.destination import Klaviyo
from include.destinations.protocol import Pending
from include.errors import AuthError, RateLimited, Unreachable
from include.records import Outcome, ProfileAction
from include.sandbox.klaviyo.credentials import KEY
from tests.destinations.klaviyo.conftest import NOW, Klav, event, person, tally
from tests.sandbox.running import Running, free_port, running


def test_a_job_accepts_and_settles_into_delivered(sandbox: Running, klav: Klav) -> None:
    """Accepted names the job and the place; what arrives is what was mapped."""
    result = klav.push(person(1, custom_attributes={"tier": "Gold", "likes": ["a", "b"]}), person(2))
    assert [(each.outcome, each.job_place) for each in result.receipts] == [
        (Outcome.ACCEPTED, 0),
        (Outcome.ACCEPTED, 1),
    ]
    assert tally(klav.settled(result)) == {"delivered": 2}
    stored = sandbox.all("profiles")[0]
    assert stored["attributes"] == {
        "external_id": "u1", "email": "p1@example.com", "first_name": "Ada 1", "location": {"city": "Berlin"},
    }  # fmt: skip
    assert stored["properties"] == {"tier": "Gold", "likes": ["a", "b"]}
    assert dict(klav.taken) == {"": 1, "jobs": 1}


def test_import_errors_reject_the_records_that_they_point_to(sandbox: Running, klav: Klav) -> None:
    """By the place in the job; texts of the platform, which repeat the value, are not shown."""
    sandbox.fault(reject_indexes=[1, 3])
    receipts = klav.settled(klav.push(*(person(number) for number in range(5))))
    assert [str(each.outcome) for each in receipts] == ["delivered", "rejected", "delivered", "rejected", "delivered"]
    assert receipts[1].cause == "invalid_phone"
    assert sandbox.counts["profiles"] == 3


def test_more_errors_than_a_page_are_all_read(sandbox: Running, klav: Klav) -> None:
    """A page holds a hundred."""
    sandbox.fault(reject_indexes=list(range(230)))
    assert tally(klav.settled(klav.push(*(person(number) for number in range(300))))) == {
        "rejected": 230,
        "delivered": 70,
    }


def test_a_job_that_is_not_done_says_nothing_yet(tmp_path: Any) -> None:
    """None: ask again later."""
    with running("klaviyo", tmp_path, "--job-seconds", "3600") as slow:
        klav = Klav(slow)
        (receipt,) = klav.push(person(1)).receipts
        assert klav.klaviyo.settle(receipt.job, [Pending(record_id="r1", place=0)]) is None
        assert slow.counts["jobs_open"] == 1


def test_a_job_that_the_platform_forgot_leaves_its_records_unknown(sandbox: Running, klav: Klav) -> None:
    """Nobody can say what became of them."""
    receipts = klav.klaviyo.settle("job-0-gone", [Pending(record_id="r1", place=0)])
    assert receipts is not None
    assert [(each.outcome, each.cause) for each in receipts] == [(Outcome.UNKNOWN, "job_gone")]


@pytest.mark.parametrize("skip_hook", [True, False])
def test_skip_hook_is_backfill_on_every_event(sandbox: Running, klav: Klav, skip_hook: bool) -> None:
    """Recorded either way; flows start only without it."""
    result = klav.push(*(person(n, events=(event(n),)) for n in range(3)), skip_hook=skip_hook)
    assert tally(klav.settled(result)) == {"delivered": 3}
    assert (sandbox.counts["events"], sandbox.counts["flows"]) == (3, 0 if skip_hook else 3)


def test_an_event_arrives_with_its_key_and_properties(sandbox: Running, klav: Klav) -> None:
    """The key is the platform's unique id; the time is truncated to the second."""
    one = event(7, params={"value": 9.5, "value_currency": "EUR"}, custom_params={"stage": "won", "none": None})
    klav.push(person(1, events=(one,)))
    (stored,) = sandbox.all("events")
    assert (stored["unique_id"], stored["metric"], stored["value"]) == ("k7", "Stage changed", 9.5)
    assert stored["properties"] == {"stage": "won"}
    assert stored["time"] == "2026-11-22T12:00:00+00:00"


def test_an_event_sent_again_is_stored_once(sandbox: Running, klav: Klav) -> None:
    """The bulk request fails for the one that is known; all of it then goes one by one."""
    klav.push(person(1, events=(event(1),)))
    result = klav.push(person(1, events=(event(1),)), person(2, events=(event(2),)))
    assert tally(klav.settled(result)) == {"delivered": 2}
    assert sorted(each["unique_id"] for each in sandbox.all("events")) == ["k1", "k2"]
    assert klav.taken["event"] == 2


def test_a_key_twice_in_a_batch_is_sent_once(sandbox: Running, klav: Klav) -> None:
    """Or the platform would take nothing of the request."""
    klav.push(person(1, events=(event(1), event(1), event(2))))
    assert sandbox.counts["events"] == 2
    assert klav.taken["event"] == 0


@pytest.mark.parametrize(
    "fault", [{"drop_answer": True}, {"status": 500}, {"status": 503}, {"status": 200, "body": "<p>"}]
)
@pytest.mark.parametrize("path", ["/api/profile-bulk-import-jobs", "/api/event-bulk-create-jobs"])
def test_a_lost_answer_is_sent_again_and_doubles_nothing(
    sandbox: Running, klav: Klav, fault: dict[str, Any], path: str
) -> None:
    """A profile is merged, an event has a key."""
    sandbox.fault(path=path, after_store=True, **fault)
    result = klav.push(*(person(n, events=(event(n),)) for n in range(4)))
    assert tally(klav.settled(result)) == {"delivered": 4}
    assert (sandbox.counts["profiles"], sandbox.counts["events"]) == (4, 4)


def test_records_refused_at_once_do_not_spoil_the_others(sandbox: Running, klav: Klav) -> None:
    """The whole request is refused; the errors say for whom, and the others go again."""
    body = {"errors": [{"code": "invalid", "source": {"pointer": "/data/attributes/profiles/data/1/attributes/email"}}]}
    sandbox.fault(status=400, body=body)
    receipts = klav.settled(klav.push(person(0), person(1), person(2)))
    assert [(str(each.outcome), each.cause) for each in receipts] == [
        ("delivered", ""), ("rejected", "invalid_email"), ("delivered", ""),
    ]  # fmt: skip
    assert klav.taken[""] == 2


def test_a_refusal_that_names_nobody_is_halved_down_to_the_culprit(sandbox: Running, klav: Klav) -> None:
    """Nothing was taken, so that halves may go; a single record that is refused is the culprit."""
    for _ in range(3):  # all eight, then the first four, then the first two
        sandbox.fault(status=400, body={"errors": []})
    sandbox.fault(status=400, body={"errors": []})  # and the first
    receipts = klav.settled(klav.push(*(person(number) for number in range(8))))
    assert tally(receipts) == {"rejected": 1, "delivered": 7}
    assert (receipts[0].outcome, receipts[0].cause) == (Outcome.REJECTED, "request_refused")


def test_an_event_that_is_refused_rejects_its_record_alone(sandbox: Running, klav: Klav) -> None:
    """The profile stays accepted at the platform; the record is told as what has to be mended."""
    sandbox.fault(path="/api/event-bulk-create-jobs", reject_indexes=[1])
    receipts = klav.settled(klav.push(*(person(n, events=(event(n),)) for n in range(3))))
    assert [str(each.outcome) for each in receipts] == ["delivered", "rejected", "delivered"]
    assert sandbox.counts["events"] == 2


def test_more_events_than_a_request_takes_go_in_several(sandbox: Running, klav: Klav) -> None:
    """A thousand at a time."""
    result = klav.push(*(person(n, events=(event(n),)) for n in range(1_500)))
    assert tally(klav.settled(result)) == {"delivered": 1_500}
    assert (klav.taken[""], klav.taken["events"]) == (1, 2)
    assert sandbox.counts["events"] == 1_500


def test_a_null_clears_where_that_is_wanted(sandbox: Running, klav_with: Callable[..., Klav]) -> None:
    """A standard attribute by a request of its own, a custom one in bulk."""
    full = person(1, custom_attributes={"tier": "Gold", "keep": 1})
    klav = klav_with(clear_nulls=True)
    klav.settled(klav.push(full))
    klav.push(person(1, attributes={"first_name": None, "city": None}, custom_attributes={"tier": None}))
    (stored,) = sandbox.all("profiles")
    assert "first_name" not in stored["attributes"]
    assert "location" not in stored["attributes"]
    assert stored["properties"] == {"keep": 1}
    assert (klav.taken["profile"], klav.taken[""]) == (1, 1)
    klav.settled(klav.push(person(1, attributes={}, custom_attributes={"keep": None})))
    assert sandbox.all("profiles")[0]["properties"] == {}
    assert klav.taken["profile"] == 1


def test_a_null_leaves_things_alone_otherwise(sandbox: Running, klav: Klav) -> None:
    """Nothing is sent of it."""
    klav.settled(klav.push(person(1, custom_attributes={"tier": "Gold"})))
    klav.settled(klav.push(person(1, attributes={"first_name": None}, custom_attributes={"tier": None})))
    (stored,) = sandbox.all("profiles")
    assert (stored["attributes"]["first_name"], stored["properties"]) == ("Ada 1", {"tier": "Gold"})


def test_a_record_that_is_gone_can_be_cleared_or_erased(sandbox: Running, klav: Klav) -> None:
    """Clearing empties what the push maps; erasing goes by e-mail, phone number or the platform's own id."""
    klav.settled(klav.push(person(1, custom_attributes={"tier": "Gold"}), person(2)))
    klav.push(person(1, custom_attributes={"tier": "Gold"}, action=ProfileAction.CLEAR))
    assert sandbox.all("profiles")[0] == {
        "id": "01KLAV00000000000000000001",
        "attributes": {"external_id": "u1", "email": "p1@example.com"},
        "properties": {},
    }
    result = klav.push(person(2, action=ProfileAction.DELETE))
    assert tally(result.receipts) == {"delivered": 1}
    assert [each["attributes"]["external_id"] for each in sandbox.all("profiles")] == ["u1"]
    nameless = person(3, identifiers={"uuid": "u3"}, action=ProfileAction.DELETE)
    refusal = klav.klaviyo.check(nameless, now=NOW)
    assert refusal is not None
    assert (refusal.outcome, refusal.cause) == (Outcome.SKIPPED, "no_key_to_delete")


def test_a_refused_key_raises_at_once_and_is_not_repeated(sandbox: Running) -> None:
    """The caller holds what it has."""
    klav = Klav(sandbox, key="pk_wrong")
    with pytest.raises(AuthError, match="API key") as caught:
        klav.push(person(1))
    assert "pk_wrong" not in str(caught.value)
    assert sandbox.counts["requests"] == 1
    with pytest.raises(AuthError):
        klav.klaviyo.test()


def test_events_that_cannot_be_sent_any_more_are_held(sandbox: Running, klav: Klav) -> None:
    """Of the first request an error is raised; of a later one the receipts of the others must not get lost."""
    sandbox.fault(path="/api/event-bulk-create-jobs", status=401)
    result = klav.push(person(0), *(person(n, events=(event(n),)) for n in range(1, 3)))
    assert [str(each.outcome) for each in result.receipts] == ["accepted", "held", "held"]


def test_throttling_waits_as_told_and_tells_the_bucket(sandbox: Running, klav: Klav) -> None:
    """A 429 is no error of a record."""
    sandbox.fault(status=429, retry_after="7")
    assert tally(klav.settled(klav.push(person(1)))) == {"delivered": 1}
    assert (klav.pauses, klav.paused) == ([7.0], [7.0])
    assert klav.observed


def test_throttling_without_end_is_left_to_the_caller(sandbox: Running, klav: Klav) -> None:
    """Nothing was taken."""
    sandbox.fault(status=429, retry_after="3600")
    with pytest.raises(RateLimited) as caught:
        klav.push(person(1))
    assert caught.value.retry_after_seconds == 3600


def test_the_real_windows_throttle_and_say_how_long(tmp_path: Any) -> None:
    """Ten imports a second; the eleventh is told to wait."""
    with running("klaviyo", tmp_path, "--job-seconds", "0") as strict:
        klav = Klav(strict)
        with pytest.raises(RateLimited):  # its pauses are noted, not made
            deque((klav.push(person(number % 3)) for number in range(200)), maxlen=0)
        assert 0 < klav.paused[0] <= 60
        assert 0 in klav.observed


def test_the_connection_test_changes_nothing(sandbox: Running, klav: Klav) -> None:
    """It reads one page of jobs."""
    klav.klaviyo.test()
    assert sandbox.counts["profiles"] == 0
    with pytest.raises(Unreachable):
        Klaviyo(base_url=f"http://127.0.0.1:{free_port()}", key=KEY).test()
    with pytest.raises(Unreachable, match="404"):
        Klaviyo(base_url=f"{sandbox.url}/elsewhere", key=KEY).test()


@pytest.mark.parametrize("key", ["", "  ", "with blank", "näme"])
def test_an_impossible_key_is_refused_before_anything_is_sent(key: str) -> None:
    """The message says where it belongs and does not repeat it."""
    with pytest.raises(AuthError, match="private API key"):
        Klaviyo(base_url="http://127.0.0.1:1", key=key)


def test_all_requests_of_a_batch_can_be_shown(klav_with: Callable[..., Klav]) -> None:
    """In the order in which they go, each by its own endpoint; nothing is sent."""
    klaviyo = klav_with(clear_nulls=True).klaviyo
    shown = []
    for one in (
        person(1, events=(event(1),)),
        person(1, attributes={"first_name": None}, events=(event(1),)),
        person(1, action=ProfileAction.DELETE),
    ):
        (batch,) = klaviyo.build([one], skip_hook=False)
        shown.append([call for call, body in klaviyo.steps(batch) if body])
    assert shown == [
        ["POST /api/profile-bulk-import-jobs", "POST /api/event-bulk-create-jobs"],
        ["POST /api/profile-import", "POST /api/event-bulk-create-jobs"],
        ["POST /api/data-privacy-deletion-jobs"],
    ]

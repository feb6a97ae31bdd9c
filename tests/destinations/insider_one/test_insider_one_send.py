"""Sending over real HTTP to the sandbox: what arrives, what is tried again, what never is."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.destinations.insider_one.body import build
from include.destinations.insider_one.destination import InsiderOne
from include.destinations.line import Patience
from include.destinations.protocol import Batch, BatchResult, Destination
from include.errors import AuthError, RateLimited, ServerFault, Unreachable
from include.records import Event, Outcome, Profile
from include.sandbox.insider_one.credentials import PARTNER, TOKEN
from tests.sandbox.insider_one.running import Sandbox, free_port, running_sandbox


class Line:
    """A connector to the sandbox that notes its pauses instead of making them."""

    def __init__(self, sandbox: Sandbox, **options: Any) -> None:
        self.pauses: list[float] = []
        self.tokens = 0
        self.told_to_wait: list[float] = []
        patience = Patience(sleep=self.pauses.append, read_timeout_seconds=options.pop("read_timeout_seconds", 60.0))
        options = {"base_url": sandbox.url, "partner": PARTNER, "token": TOKEN, "bucket": self} | options
        self.insider = InsiderOne(patience=patience, **options)

    def take(self, tokens: int = 1, *, lane: str = "") -> None:
        self.tokens += tokens

    def observe(self, *, remaining: int, resets_in_seconds: float, limit: int | None = None, lane: str = "") -> None:
        raise AssertionError("the platform sends no headers of that kind")

    def pause(self, seconds: float, *, lane: str = "") -> None:
        self.told_to_wait.append(seconds)

    def send(self, batch: Batch) -> BatchResult:
        result = self.insider.send(batch)
        assert [one.record_id for one in result.receipts] == [one.record_id for one in batch.records]
        return result


@pytest.fixture
def line(sandbox: Sandbox) -> Line:
    return Line(sandbox)


def batch(count: int, *, events: bool = False, skip_hook: bool = False) -> Batch:
    some = (
        Profile(
            record_id=f"r{number}",
            identifiers={"uuid": f"u{number}"},
            attributes={"name": f"Ada {number}"},
            events=(Event(key=f"k{number}", name="stage_changed", at=datetime.now(UTC)),) if events else (),
        )
        for number in range(count)
    )
    (one,) = build(some, skip_hook=skip_hook)
    return one


def tally(result: BatchResult) -> dict[str, int]:
    return dict(Counter(str(receipt.outcome) for receipt in result.receipts))


def test_profiles_and_events_arrive(sandbox: Sandbox, line: Line) -> None:
    """Everything is delivered once; one permission is taken for one request."""
    destination: Destination = line.insider
    result = destination.send(batch(3, events=True))
    assert tally(result) == {"delivered": 3}
    assert (sandbox.counts["profiles"], sandbox.counts["events"], sandbox.counts["journeys"]) == (3, 3, 3)
    assert (line.tokens, result.requests) == (1, 1)


@pytest.mark.parametrize("skip_hook", [True, False])
def test_skip_hook_is_in_the_body_of_every_request(sandbox: Sandbox, line: Line, skip_hook: bool) -> None:
    """Also when it is false: nobody should have to know the default."""
    line.send(batch(2, events=True, skip_hook=skip_hook))
    assert sandbox.get("/sandbox/requests")["requests"][0]["skip_hook"] is skip_hook
    assert sandbox.counts["journeys"] == (0 if skip_hook else 2)


def test_the_partner_name_is_sent_in_lower_case_and_trimmed(sandbox: Sandbox) -> None:
    """People copy it with capitals and blanks."""
    assert tally(Line(sandbox, partner=f" {PARTNER.upper()} ", token=f"{TOKEN}\n").send(batch(1))) == {"delivered": 1}


@pytest.mark.parametrize("partner", ["", "two words", "näme"])
def test_an_impossible_partner_name_is_refused_before_anything_is_sent(sandbox: Sandbox, partner: str) -> None:
    """The message says what to write."""
    with pytest.raises(AuthError, match="one word"):
        Line(sandbox, partner=partner)


def test_users_that_the_platform_refuses_are_rejected_by_index(sandbox: Sandbox, line: Line) -> None:
    """HTTP 200 is not success."""
    sandbox.fault(reject_indexes=[1])
    result = line.send(batch(3))
    assert [one.outcome for one in result.receipts] == [Outcome.DELIVERED, Outcome.REJECTED, Outcome.DELIVERED]
    assert sandbox.counts["profiles"] == 2


def test_our_own_records_pass_the_sandbox(sandbox: Sandbox, line: Line) -> None:
    """A record refused for its size is in the result, without a request for it."""
    giant = Profile(record_id="big", identifiers={"uuid": "b"}, attributes={"name": "x" * 5_000_000})
    (one,) = line.insider.build([giant], skip_hook=False)
    result = line.insider.send(one)
    assert [(receipt.record_id, receipt.outcome) for receipt in result.receipts] == [("big", Outcome.REJECTED)]
    assert sandbox.counts["requests"] == 0


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 401},
        {"status": 403},
        {"status": 400, "body": {"success": False, "message": "Partner is invalid."}},
    ],
)
def test_refused_credentials_raise_at_once(sandbox: Sandbox, line: Line, fault: dict[str, Any]) -> None:
    """No second request, no receipt: the caller holds what it has."""
    sandbox.fault(**fault)
    with pytest.raises(AuthError, match="token") as caught:
        line.insider.send(batch(2, events=True))
    assert sandbox.counts["requests"] == 1
    assert TOKEN not in str(caught.value)


def test_a_wrong_token_raises(sandbox: Sandbox) -> None:
    """The real refusal, not a played one."""
    with pytest.raises(AuthError):
        Line(sandbox, token="wrong").insider.send(batch(1))
    with pytest.raises(AuthError):
        Line(sandbox, token="wrong").insider.test()


def test_throttling_waits_as_told_and_goes_on(sandbox: Sandbox, line: Line) -> None:
    """With Retry-After exactly so long, without it a growing pause."""
    sandbox.fault(status=429, retry_after="7")
    sandbox.fault(status=429)
    assert tally(line.send(batch(2, events=True))) == {"delivered": 2}
    assert line.pauses[0] == 7.0
    assert line.told_to_wait == [7.0]
    assert 0.5 < line.pauses[1] < 2
    assert sandbox.counts["events"] == 2


@pytest.mark.parametrize(("fault", "wait"), [({"times": 9}, None), ({"retry_after": "3600"}, 3600.0)])
def test_throttling_without_end_is_left_to_the_caller(
    sandbox: Sandbox, line: Line, fault: dict[str, Any], wait: float | None
) -> None:
    """After a few waits, or at once if asked to wait longer than a task should."""
    sandbox.fault(status=429, **fault)
    with pytest.raises(RateLimited) as caught:
        line.insider.send(batch(1, events=True))
    assert caught.value.retry_after_seconds == wait
    assert sandbox.counts["profiles"] == 0


@pytest.mark.parametrize(("status", "events"), [(503, True), (503, False), (500, False)])
def test_a_reported_fault_is_tried_again(sandbox: Sandbox, line: Line, status: int, events: bool) -> None:
    """The platform says itself that it failed."""
    sandbox.fault(status=status)
    result = line.send(batch(2, events=events))
    assert tally(result) == {"delivered": 2}
    assert result.requests == 2
    assert sandbox.counts["events"] == (2 if events else 0)


@pytest.mark.parametrize(("events", "outcome"), [(True, "unknown"), (False, "rejected")])
def test_a_fault_without_end_is_unknown_only_with_events(
    sandbox: Sandbox, line: Line, events: bool, outcome: str
) -> None:
    """Profiles may be sent again by the next run."""
    sandbox.fault(status=503, times=9)
    result = line.send(batch(2, events=events))
    assert tally(result) == {outcome: 2}
    assert [receipt.retryable for receipt in result.receipts] == [not events] * 2
    assert sandbox.counts["requests"] == 4


LOST = [
    {"drop_answer": True},
    {"status": 500},
    {"status": 504},
    {"status": 520},
    {"status": 200, "body": "<html><body>maintenance</body></html>"},
]


@pytest.mark.parametrize("after_store", [True, False])
@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_to_events_is_unknown_and_never_sent_again(
    sandbox: Sandbox, line: Line, fault: dict[str, Any], after_store: bool
) -> None:
    """Whether it arrived or not: nobody can know, and the platform would store it twice."""
    sandbox.fault(after_store=after_store, **fault)
    assert tally(line.send(batch(3, events=True))) == {"unknown": 3}
    assert sandbox.counts["requests"] == 1
    assert sandbox.counts["events"] == (3 if after_store else 0)


@pytest.mark.parametrize("fault", LOST)
def test_a_lost_answer_to_profiles_is_sent_again(sandbox: Sandbox, line: Line, fault: dict[str, Any]) -> None:
    """An upsert twice is an upsert once."""
    sandbox.fault(after_store=True, **fault)
    assert tally(line.send(batch(3))) == {"delivered": 3}
    assert sandbox.counts["profiles"] == 3


def test_a_timeout_after_sending_is_a_lost_answer(sandbox: Sandbox) -> None:
    """The platform took it and answers too late."""
    line = Line(sandbox, read_timeout_seconds=0.2)
    sandbox.fault(delay_seconds=1.0, after_store=True)
    assert tally(line.send(batch(2, events=True))) == {"unknown": 2}
    assert line.tokens == 1


@pytest.mark.parametrize("then", [{"status": 401}, {"status": 429, "retry_after": "3600"}])
def test_events_that_may_have_arrived_are_never_held(sandbox: Sandbox, line: Line, then: dict[str, Any]) -> None:
    """After a reported fault, a refusal of the second attempt says nothing about the first."""
    sandbox.fault(status=503)
    sandbox.fault(**then)
    assert tally(line.send(batch(2, events=True))) == {"unknown": 2}


def test_events_that_may_have_arrived_are_not_held_for_our_own_pace(sandbox: Sandbox) -> None:
    """The bucket gives no permission for a second attempt: that says nothing about the first."""

    class Emptied(Line):
        def take(self, tokens: int = 1, *, lane: str = "") -> None:
            super().take(tokens, lane=lane)
            if self.tokens > 1:
                raise RateLimited("the bucket is empty for long", retry_after_seconds=200)

    sandbox.fault(status=503, after_store=True)
    assert tally(Emptied(sandbox).send(batch(2, events=True))) == {"unknown": 2}
    spent = Emptied(sandbox)
    spent.tokens = 1
    with pytest.raises(RateLimited) as caught:
        spent.send(batch(2, events=True))
    assert caught.value.retry_after_seconds == 200


def test_a_request_too_large_is_sent_in_parts(sandbox: Sandbox, line: Line) -> None:
    """Nothing of it was taken; each part is sent once, so that no event is doubled."""
    text = "request body is bigger than maximum allowed size 5,000,000 bytes"
    sandbox.fault(status=400, body={"error": text}, times=2)
    result = line.send(batch(5, events=True))
    assert tally(result) == {"delivered": 5}
    assert sandbox.counts["events"] == 5
    assert result.requests == 5


def test_an_error_in_the_second_part_keeps_the_receipts_of_the_first(sandbox: Sandbox, line: Line) -> None:
    """What was delivered is said; the rest is held."""
    sandbox.fault(status=413)
    sandbox.fault(status=403, skip=1)
    assert [str(one.outcome) for one in line.send(batch(4, events=True)).receipts] == ["delivered"] * 2 + ["held"] * 2


def test_counts_that_do_not_add_up_are_asked_again_in_halves(sandbox: Sandbox, line: Line) -> None:
    """Without events; each half then answers for itself."""
    odd = {"data": {"successful": {"count": 1}, "fail": {}}}
    sandbox.fault(status=200, body=odd, after_store=True)
    result = line.send(batch(4))
    assert tally(result) == {"delivered": 4}
    assert result.requests == 3


def test_counts_that_do_not_add_up_with_events_are_unknown(sandbox: Sandbox, line: Line) -> None:
    """Asking again would store the events again."""
    sandbox.fault(status=200, body={"data": {"successful": {"count": 1}, "fail": {}}}, after_store=True)
    assert tally(line.send(batch(4, events=True))) == {"unknown": 4}
    assert sandbox.counts["events"] == 4


def test_halves_that_still_do_not_add_up_are_unknown(sandbox: Sandbox, line: Line) -> None:
    """Once is enough."""
    sandbox.fault(status=200, body={"data": {"successful": {"count": 9}, "fail": {}}}, times=9)
    result = line.send(batch(8))
    assert tally(result) == {"unknown": 8}
    assert result.requests == 3


def test_a_restart_between_two_batches_loses_nothing(tmp_path: Path) -> None:
    """A kept connection that died in between is noticed before anything is sent on it."""
    port = free_port()
    with running_sandbox(tmp_path, port=port) as sandbox:
        line = Line(sandbox)
        assert tally(line.send(batch(2, events=True))) == {"delivered": 2}
    with running_sandbox(tmp_path, port=port) as sandbox:
        assert tally(line.send(batch(2, events=True))) == {"delivered": 2}
        assert sandbox.counts["events"] == 4


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("Fri, 31 Dec 9999 23:59:59 GMT", 1e9, 1e12), ("Sat, 01 Jan 2000 00:00:00 GMT", 0, 0), ("soon", 0.1, 9)],
)
def test_retry_after_may_be_a_date_or_nonsense(
    sandbox: Sandbox, line: Line, header: str, least: float, most: float
) -> None:
    """A date far away is left to the caller, one in the past needs no pause, nonsense gets our own pause."""
    sandbox.fault(status=429, retry_after=header)
    try:
        line.send(batch(1))
        waited = line.pauses[0]
    except RateLimited as error:
        waited = error.retry_after_seconds or 0.0
    assert least <= waited <= most


def test_nobody_listening_is_unreachable(sandbox: Sandbox) -> None:
    """Nothing was sent; the message names the address."""
    port = free_port()
    line = Line(sandbox, base_url=f"http://127.0.0.1:{port}")
    with pytest.raises(Unreachable, match=str(port)):
        line.insider.send(batch(1, events=True))
    with pytest.raises(Unreachable):
        line.insider.test()


def test_something_else_listening_is_unreachable(sandbox: Sandbox) -> None:
    """A 404 is no answer of the platform."""
    line = Line(sandbox, base_url=f"{sandbox.url}/somewhere")
    with pytest.raises(Unreachable, match="404"):
        line.insider.send(batch(1))


@pytest.mark.parametrize("url", ["", "unification.useinsider.com", "ftp://host", "https://user:secret@host"])
def test_an_address_without_scheme_is_refused(sandbox: Sandbox, url: str) -> None:
    """Before anything is sent, and without repeating what may hold a password."""
    with pytest.raises(Unreachable) as caught:
        Line(sandbox, base_url=url)
    assert "secret" not in str(caught.value)


def test_the_connection_test_changes_nothing(sandbox: Sandbox, line: Line) -> None:
    """It reads the names of the attributes."""
    line.insider.test()
    assert sandbox.counts["profiles"] == 0
    assert sandbox.get("/sandbox/requests")["requests"][0]["path"] == "/api/user/v3/metadata/columns"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 503}, ServerFault),
        ({"status": 429}, RateLimited),
        ({"status": 200, "body": "<html>login</html>"}, Unreachable),
    ],
)
def test_the_connection_test_says_what_is_wrong(
    sandbox: Sandbox, line: Line, fault: dict[str, Any], error: type[Exception]
) -> None:
    """Each trouble has its error."""
    sandbox.fault(**fault)
    with pytest.raises(error):
        line.insider.test()

"""Signed messages over real HTTP: believed, taken once, never sent into our own network."""

from __future__ import annotations

import base64
import socket
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.destinations.addresses import is_public
from include.destinations.line import Patience
from include.destinations.protocol import Access, BatchResult, Policy
from include.destinations.webhook import body as bodies
from include.destinations.webhook.destination import Webhook, open_webhook
from include.errors import AuthError, RateLimited, Unreachable
from include.records import Event, Outcome, Profile, ProfileAction
from include.sandbox.webhook.credentials import SECRET
from tests.sandbox.running import Running, free_port, running

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OTHER = "whsec_" + base64.b64encode(b"another secret of thirty-two byte").decode()


@pytest.fixture(scope="module")
def one_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("webhook", tmp_path_factory.mktemp("webhook")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(one_sandbox: Running) -> Running:
    one_sandbox.post("/sandbox/reset")
    return one_sandbox


class Wire:
    """A connector to the sandbox that notes its pauses instead of making them."""

    def __init__(self, sandbox: Running, **options: Any) -> None:
        self.pauses: list[float] = []
        defaults: dict[str, Any] = {
            "url": sandbox.url, "path": "/inbox", "secrets": [SECRET], "allow_private": True,
            "patience": Patience(sleep=self.pauses.append),
        }  # fmt: skip
        self.webhook = Webhook(**(defaults | options))

    def push(self, *profiles: Profile) -> BatchResult:
        (batch,) = self.webhook.build(profiles, skip_hook=False)
        result = self.webhook.send(batch)
        assert [each.record_id for each in result.receipts] == [each.record_id for each in batch.records]
        return result


@pytest.fixture
def wire(sandbox: Running) -> Wire:
    return Wire(sandbox)


def person(number: int, **parts: Any) -> Profile:
    whole: dict[str, Any] = {
        "identifiers": {"uuid": f"u{number}"},
        "attributes": {"name": f"Ada {number}"},
        "as_of": NOW,
    }
    return Profile(record_id=f"r{number}", **(whole | parts))


def event(number: int, **parts: Any) -> Event:
    return Event(**({"key": f"k{number}", "name": "stage_changed", "at": NOW} | parts))


def tally(result: BatchResult) -> dict[str, int]:
    return dict(Counter(str(each.outcome) for each in result.receipts))


def test_the_signature_is_that_of_the_standard() -> None:
    """Its published test vector."""
    key = bodies.secret_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert key is not None
    signed = bodies.signature([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_records_and_events_arrive(sandbox: Running, wire: Wire) -> None:
    """With type, time and data; whoever reads it finds the record's Id and the event's key."""
    one = person(1, custom_attributes={"tier": "Gold"}, events=(event(1, custom_params={"stage": "won"}),))
    assert tally(wire.push(one, person(2))) == {"delivered": 2}
    assert sandbox.all("records")[0] == {
        "record_id": "r1", "identifiers": {"uuid": "u1"}, "attributes": {"name": "Ada 1"},
        "custom_attributes": {"tier": "Gold"},
    }  # fmt: skip
    (stored,) = sandbox.all("events")
    assert (stored["key"], stored["name"], stored["custom_params"]) == ("k1", "stage_changed", {"stage": "won"})


def test_a_message_has_type_timestamp_and_data() -> None:
    """As the standard wants its body."""
    import orjson

    (batch,) = bodies.build([person(1)], Policy(), skip_hook=False)
    content = orjson.loads(bodies.message(batch, at=NOW))
    assert (content["type"], content["timestamp"]) == ("headwater.records", "2026-11-22T12:00:00+00:00")
    assert content["data"]["records"][0]["as_of"] == "2026-11-22T12:00:00.000+00:00"


def test_a_message_that_is_sent_again_is_taken_once(sandbox: Running, wire: Wire) -> None:
    """Its id comes out of what it holds, so that another process sends the same."""
    records = [person(n, events=(event(n),)) for n in range(3)]
    wire.push(*records)
    later = [person(n, events=(event(n, at=NOW + timedelta(hours=1)),)) for n in range(3)]  # time of processing
    Wire(sandbox).push(*later)
    counts = sandbox.counts
    assert (counts["messages"], counts["repeats"], counts["events"], counts["events_repeated"]) == (1, 1, 3, 0)


def test_a_record_that_changed_back_is_a_new_message() -> None:
    """Or a receiver that remembers ids would miss the way back."""
    first = bodies.message_id([person(1)])
    assert bodies.message_id([person(1, as_of=NOW + timedelta(seconds=1))]) != first
    assert bodies.message_id([person(1, attributes={"name": "Grace"})]) != first
    assert bodies.message_id([person(1)]) == first


@pytest.mark.parametrize("fault", [{"drop_answer": True}, {"status": 500}, {"status": 502}, {"status": 504}])
def test_a_lost_answer_is_sent_again_under_the_same_id(sandbox: Running, wire: Wire, fault: dict[str, Any]) -> None:
    """The receiver drops what it has."""
    sandbox.fault(after_store=True, **fault)
    assert tally(wire.push(person(1, events=(event(1),)))) == {"delivered": 1}
    counts = sandbox.counts
    assert (counts["repeats"], counts["events_repeated"]) == (1, 0)


def test_a_refused_message_is_halved_down_to_the_culprits(sandbox: Running, wire: Wire) -> None:
    """A receiver speaks by its status alone; whoever it meant is found."""
    sandbox.fault(reject_share=0.02)
    result = wire.push(*(person(n) for n in range(300)))
    refused = {each.record_id for each in result.receipts if each.outcome is Outcome.REJECTED}
    stored = {each["record_id"] for each in sandbox.all("records")}
    assert refused
    assert len(refused) < 20
    assert stored == {f"r{n}" for n in range(300)} - refused
    assert not any(each.retryable for each in result.receipts)


def test_both_signatures_are_sent_while_a_secret_is_replaced(sandbox: Running) -> None:
    """The receiver may know the former one or the present one."""
    assert tally(Wire(sandbox, secrets=[OTHER, SECRET]).push(person(1))) == {"delivered": 1}
    with pytest.raises(AuthError, match="secret"):
        Wire(sandbox, secrets=[OTHER]).push(person(2))


def test_a_time_far_from_the_receivers_is_not_believed(sandbox: Running) -> None:
    """It would be somebody who repeats what he overheard."""
    with pytest.raises(AuthError):
        Wire(sandbox, clock=lambda: datetime.now(UTC) - timedelta(hours=1)).push(person(1))


def test_a_receiver_that_is_gone_for_good_stops_the_sending(sandbox: Running, wire: Wire) -> None:
    """HTTP 410: nothing more is sent, the records are held."""
    sandbox.fault(status=410, times=9)
    with pytest.raises(AuthError, match="410"):
        wire.push(person(1))
    assert sandbox.counts["requests"] == 1
    with pytest.raises(AuthError, match="gone for good"):
        wire.webhook.test()


def test_a_redirect_is_not_followed(sandbox: Running, wire: Wire) -> None:
    """Who knows where it leads."""
    sandbox.fault(status=302, times=9)
    with pytest.raises(Unreachable, match="redirects"):
        wire.push(person(1))
    assert sandbox.counts["records"] == 0


def test_throttling_waits_as_told(sandbox: Running, wire: Wire) -> None:
    """And is left to the caller if it lasts."""
    sandbox.fault(status=429, retry_after="7")
    assert tally(wire.push(person(1))) == {"delivered": 1}
    assert wire.pauses == [7.0]
    sandbox.fault(status=429, retry_after="3600")
    with pytest.raises(RateLimited):
        wire.push(person(2))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "169.254.169.254", "10.0.0.1"])
def test_nothing_is_sent_into_our_own_network(sandbox: Running, host: str) -> None:
    """Unless the connection says that it is meant; the name is looked up before it is judged."""
    port = sandbox.url.rpartition(":")[2]
    wire = Wire(sandbox, url=f"http://{host}:{port}", allow_private=False)
    with pytest.raises(AuthError, match="allow_private"):
        wire.push(person(1))
    assert sandbox.counts["requests"] == 0


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("127.0.0.1", False), ("10.1.2.3", False),
        ("172.16.0.1", False), ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False),
        ("0.0.0.0", False), ("224.0.0.1", False), ("255.255.255.255", False), ("::1", False), ("fe80::1%eth0", False),
        ("fd00::1", False), ("::ffff:127.0.0.1", False), ("::ffff:8.8.8.8", True), ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True), ("2002:7f00:1::", False), ("::", False),
    ],
)  # fmt: skip
def test_addresses_are_judged_by_what_they_mean(address: str, public: bool) -> None:
    """An IPv6 address may stand for an inner one."""
    assert is_public(address) is public


def test_the_connection_goes_to_the_address_that_was_judged(monkeypatch: pytest.MonkeyPatch, sandbox: Running) -> None:
    """A name that leads elsewhere at the second look-up reaches nothing: there is no second look-up."""
    asked: list[str] = []
    port = int(sandbox.url.rpartition(":")[2])

    def lookup(host: str, *rest: Any, **options: Any) -> Any:
        asked.append(host)
        public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("203.0.113.7", port))]
        return real(host, *rest, **options) if host == "203.0.113.7" or len(asked) > 1 else public

    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    wire = Wire(sandbox, url=f"http://rebinding.example:{port}", allow_private=False)
    with pytest.raises(AuthError):  # 203.0.113.0/24 is for documentation, not public either
        wire.push(person(1))
    assert asked == ["rebinding.example"]


def test_records_that_are_gone_are_told(sandbox: Running, wire: Wire) -> None:
    """As an action of the record."""
    wire.push(person(1), person(2))
    wire.push(person(1, action=ProfileAction.DELETE), person(2, action=ProfileAction.CLEAR))
    assert [(each["record_id"], each["attributes"]) for each in sandbox.all("records")] == [("r2", {})]


@pytest.mark.parametrize("clear_nulls", [True, False])
def test_a_null_clears_where_that_is_wanted(sandbox: Running, clear_nulls: bool) -> None:
    """Otherwise nothing is sent of it."""
    wire = Wire(sandbox, policy=Policy(clear_nulls=clear_nulls))
    wire.push(person(1, custom_attributes={"tier": "Gold"}))
    wire.push(person(1, attributes={"name": None}, custom_attributes={"tier": "Silver"}))
    assert ("name" in sandbox.all("records")[0]["attributes"]) is not clear_nulls


def test_a_connection_is_read_with_its_extra(sandbox: Running) -> None:
    """Path, former secret and the leave to reach our own network stand there."""
    access = Access(
        name="hook", base_url=sandbox.url, secret=OTHER,
        extras={"path": "inbox", "allow_private": True, "former_secret": SECRET},
    )  # fmt: skip
    hook = open_webhook(access)
    hook.test()
    assert sandbox.counts["records"] == 0
    assert SECRET not in repr(hook)
    assert SECRET not in repr(access)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%%"])
def test_a_secret_of_another_form_is_refused(secret: str) -> None:
    """Before anything is sent; the message says which form."""
    with pytest.raises(AuthError, match="whsec_…"):
        Webhook(url="http://127.0.0.1:1", secrets=[secret])


def test_nobody_listening_is_unreachable(sandbox: Running) -> None:
    """The message names the address."""
    port = free_port()
    with pytest.raises(Unreachable, match=str(port)):
        Wire(sandbox, url=f"http://127.0.0.1:{port}").push(person(1))


@pytest.mark.parametrize(
    ("parts", "cause"),
    [
        ({"identifiers": {}}, "no_identifier"),
        ({"identifiers": {"uuid": " "}}, "invalid_identifier"),
        ({"attributes": {"a": {1, 2}}}, "invalid_value"),
        ({"custom_attributes": {"big": 2**70}}, "not_json"),
        ({"attributes": {"name": "x" * 1_000_000}}, "too_large"),
        ({"events": (event(1, key=""),)}, "invalid_event_name"),
        ({"events": (event(1, at=NOW.replace(tzinfo=None)),)}, "invalid_event_time"),
    ],
)
def test_what_cannot_be_sent_is_said(wire: Wire, parts: dict[str, Any], cause: str) -> None:
    """A cause to group by."""
    receipt = wire.webhook.check(person(1, **parts), now=NOW)
    assert receipt is not None
    assert (receipt.outcome, receipt.cause) == (Outcome.REJECTED, cause)

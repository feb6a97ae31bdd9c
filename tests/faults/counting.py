"""A platform that counts: a server on loopback which remembers every event that reached it, and its destination."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from include.config.platforms import Capabilities
from include.destinations.protocol import Batch, BatchResult, Pending
from include.errors import AuthError
from include.records import Event, Outcome, Profile, Receipt

PROMISES = {
    "dedupes": Capabilities(dedupes_events=True, reads_back=False, skip_hook=True),
    "reads_back": Capabilities(dedupes_events=False, reads_back=True, skip_hook=True),
    "neither": Capabilities(dedupes_events=False, reads_back=False, skip_hook=True),
    "settles_later": Capabilities(dedupes_events=True, reads_back=False, skip_hook=True, settles_later=True),
}


@dataclass
class Ledger:
    """What reached the platform, and how it is to answer.

    Args:
        promise: what it keeps, see `PROMISES`.
        stored: how often each event is stored.
        profiles: the attributes that each record has there.
        requests: how many writing requests came.
        drop: the numbers of the requests whose answer is dropped.
        reject: the records that it refuses.
        busy: the records that it can't take at present.
        slow: set while an answer may be given.
        refuses: whether it refuses the credentials.
        jobs: the records of each job that it has taken and not told of.
        tells: whether it tells of its jobs.
    """

    promise: str
    stored: Counter[str] = field(default_factory=Counter)
    profiles: dict[str, Any] = field(default_factory=dict)
    requests: int = 0
    tests: int = 0
    drop: set[int] = field(default_factory=set)
    reject: set[str] = field(default_factory=set)
    busy: set[str] = field(default_factory=set)
    slow: threading.Event = field(default_factory=threading.Event)
    refuses: bool = False
    jobs: dict[str, list[str]] = field(default_factory=dict)
    tells: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.slow.set()

    def take(self, records: list[dict[str, Any]]) -> dict[str, Any]:
        said = {}
        for record in records:
            if record["id"] in self.busy:
                said[record["id"]] = "busy"
                continue
            if record["id"] in self.reject:
                said[record["id"]] = "rejected"
                continue
            said[record["id"]] = "delivered"
            self.profiles[record["id"]] = record["attributes"]
            for key in record["events"]:
                if self.promise not in ("dedupes", "settles_later") or not self.stored[key]:
                    self.stored[key] += 1
        return said


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing: whoever was killed reads no answer."""


@contextmanager
def counting_platform(promise: str, *, port: int = 0) -> Iterator[tuple[Ledger, str]]:
    """Yield a running platform's ledger and its address."""
    ledger = Ledger(promise)
    server = _Server(("127.0.0.1", port), _handler(ledger))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield ledger, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        ledger.slow.set()
        server.shutdown()
        server.server_close()


def _handler(ledger: Ledger) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two packets: the second would wait 40 ms for the client

        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/read":
                return self._answer({key: ledger.stored[key] > 0 for key in content})
            if self.path == "/job":
                return self._answer({"done": ledger.tells})
            with ledger.lock:
                if self.path == "/test":
                    ledger.tests += 1
                    return self._answer({}, status=403 if ledger.refuses else 200)
                ledger.requests += 1
                number = ledger.requests
                if ledger.refuses:
                    return self._answer({}, status=403)
                said = ledger.take(content)
                if ledger.promise == "settles_later":
                    ledger.jobs[f"job-{number}"] = [each["id"] for each in content]
            ledger.slow.wait(30)
            if number in ledger.drop:
                self.close_connection = True
                return None
            return self._answer({"said": said, "job": f"job-{number}"})

        def _answer(self, content: Any, *, status: int = 200) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


class Counting:
    """The destination of a counting platform."""

    name = "insider_one"  # definitions know no platform of tests

    def __init__(self, url: str, promise: str) -> None:
        self._url = url
        self._promise = promise
        self._http = urllib3.PoolManager(retries=False, maxsize=8)
        self._refused: dict[str, str] = {}

    @property
    def capabilities(self) -> Capabilities:
        return PROMISES[self._promise]

    def expired(self, event: Event, *, now: datetime) -> bool:
        return False

    def check(self, profile: Profile, *, now: datetime) -> Receipt | None:
        return None

    def build(self, profiles: Iterable[Profile], *, skip_hook: bool, max_records: int | None = None) -> Iterator[Batch]:
        records = tuple(profiles)
        size = max_records or 1000
        for start in range(0, len(records), size):
            part = records[start : start + size]
            content = [
                {"id": each.record_id, "attributes": dict(each.attributes), "events": [e.key for e in each.events]}
                for each in part
            ]
            yield Batch(records=part, body=json.dumps(content).encode(), skip_hook=skip_hook)

    def send(self, batch: Batch) -> BatchResult:
        body = batch.body
        for _ in range(4):
            if self._promise == "reads_back":
                body = self._without_stored(batch)
            try:
                reply = self._http.request("POST", self._url + "/take", body=body)
            except HTTPError:
                if self._promise == "neither":
                    return _all(batch, Outcome.UNKNOWN, "answer_lost")
                continue
            if reply.status == 403:
                raise AuthError("the counting platform refuses the credentials")
            return self._result(batch, json.loads(reply.data))
        return _all(batch, Outcome.UNKNOWN, "answer_lost")

    def settle(self, job: str, pending: Sequence[Pending]) -> tuple[Receipt, ...] | None:
        reply = self._http.request("POST", self._url + "/job", body=json.dumps(job).encode())
        if not json.loads(reply.data)["done"]:
            return None
        return tuple(
            Receipt(record_id=each.record_id, outcome=Outcome(self._refused.get(each.record_id, "delivered")),
                    cause="refused_later" if each.record_id in self._refused else "", platform_id=f"p{each.place}")
            for each in pending
        )  # fmt: skip

    def test(self) -> None:
        if self._http.request("POST", self._url + "/test", body=b"[]").status == 403:
            raise AuthError("the counting platform refuses the credentials")

    def _without_stored(self, batch: Batch) -> bytes:
        keys = [event.key for each in batch.records for event in each.events]
        stored = json.loads(self._http.request("POST", self._url + "/read", body=json.dumps(keys).encode()).data)
        content = json.loads(batch.body)
        for each in content:
            each["events"] = [key for key in each["events"] if not stored[key]]
        return json.dumps(content).encode()

    def _result(self, batch: Batch, reply: dict[str, Any]) -> BatchResult:
        receipts = []
        for place, each in enumerate(batch.records):
            said = reply["said"][each.record_id]
            if self._promise == "settles_later":
                if said == "rejected":
                    self._refused[each.record_id] = "rejected"
                receipt = Receipt(record_id=each.record_id, outcome=Outcome.ACCEPTED, job=reply["job"], job_place=place)
            elif said == "busy":
                receipt = Receipt(record_id=each.record_id, outcome=Outcome.REJECTED, cause="busy", retryable=True)
            elif said == "rejected":
                receipt = Receipt(record_id=each.record_id, outcome=Outcome.REJECTED, cause="bad_value")
            else:
                receipt = Receipt(record_id=each.record_id, outcome=Outcome.DELIVERED)
            receipts.append(receipt)
        return BatchResult(receipts=tuple(receipts), requests=1)


def _all(batch: Batch, outcome: Outcome, cause: str) -> BatchResult:
    return BatchResult(
        receipts=tuple(Receipt(record_id=each.record_id, outcome=outcome, cause=cause) for each in batch.records)
    )

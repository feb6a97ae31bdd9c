"""A scripted org over real HTTP: it answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from include.salesforce.auth import Credentials
from include.salesforce.client import SalesforceClient
from include.salesforce.transport import Transport

TOKEN_PATH = "/services/oauth2/token"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One scripted answer; `cut_at` ends the connection after so many bytes of the body."""

    status: int = 200
    json: Any = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None
    chunked: bool = False
    hang_up: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: tuple[str, int]


class ScriptedOrg:
    """Answers by method and path (without the query); several answers come one after the other, the last one stays."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.asked: list[Asked] = []
        self._answers: dict[tuple[str, str], list[Answer]] = {}
        self.tokens_given = 0

    def answer(self, method: str, path: str, *answers: Answer) -> None:
        self._answers[(method, path)] = list(answers)

    def paths(self) -> list[str]:
        return [each.path for each in self.asked]

    def next_answer(self, method: str, path: str) -> Answer:
        answers = self._answers.get((method, urlsplit(path).path))
        if answers is None and path == TOKEN_PATH:
            self.tokens_given += 1
            return Answer(
                json={
                    "access_token": f"00D000000000001!token{self.tokens_given}",
                    "instance_url": self.url,
                    "id": f"{self.url}/id/00D000000000001EAA/005000000000001AAA",
                    "token_type": "Bearer",
                }
            )
        if not answers:
            return Answer(
                status=404, json=[{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}]
            )
        return answers.pop(0) if len(answers) > 1 else answers[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two packets: the second would wait 40 ms for the client
    org: ScriptedOrg

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {key.lower(): value for key, value in self.headers.items()}
        self.org.asked.append(
            Asked(method=self.command, path=self.path, headers=headers, body=body, connection=self.client_address)
        )
        answer = self.org.next_answer(self.command, self.path)
        if answer.hang_up:
            self.close_connection = True
            return
        content = orjson.dumps(answer.json) if answer.json is not None else answer.body
        sent = dict(answer.headers)
        if answer.json is not None:
            sent.setdefault("Content-Type", "application/json;charset=UTF-8")
        if sent.get("Content-Encoding") == "gzip":
            content = gzip.compress(content)
        self._write(answer, content, sent)

    def _write(self, answer: Answer, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(answer.status)
        for key, value in headers.items():
            self.send_header(key, value)
        whole = answer.cut_at is None
        sent = content if whole else content[: answer.cut_at]
        if answer.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(sent), sent) + (b"0\r\n\r\n" if whole else b""))
        else:
            if answer.status != 304 and headers.get("Connection") != "close":
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(sent)
        if not whole or headers.get("Connection") == "close":
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_DELETE = _serve

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def org() -> Iterator[ScriptedOrg]:
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    scripted = ScriptedOrg(server.server_address[1])
    handler.org = scripted  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield scripted
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def credentials(org: ScriptedOrg) -> Credentials:
    return Credentials(kind="client_credentials", login_url=org.url, client_id="app", client_secret="app-secret")


@pytest.fixture
def slept() -> list[float]:
    """The pauses that the transport made; none is really waited for."""
    return []


@pytest.fixture
def client(credentials: Credentials, slept: list[float]) -> Iterator[SalesforceClient]:
    with SalesforceClient(credentials, transport=Transport(sleep=slept.append)) as opened:
        yield opened


@pytest.fixture
def answer() -> type[Answer]:
    """The class of scripted answers, for tests that import nothing from here."""
    return Answer

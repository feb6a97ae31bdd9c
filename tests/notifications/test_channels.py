"""Mails and webhooks over real sockets: what arrives, and what is said when nothing does."""

from __future__ import annotations

import base64
import json
import socket
import threading
import traceback
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from include.errors import AuthError, ConnectionLost, FatalError, HeadwaterError, RateLimited, ServerFault
from include.notifications.mail import MailMessenger, MailServer
from include.notifications.webhook import Webhook, WebhookMessenger, authorization
from include.records import Message

MESSAGE = Message(
    subject="[Headwater main] Extract of Contact failed – twice",
    text="Extract of Contact failed\nhttps://airflow.example/dags/x",
    body={"text": "Extract of Contact failed", "source": "headwater", "items": []},
)


class Post:
    """Take mails, or answer as the test decides."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.answer = "250 OK"
        self.knows = True

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, _: list[str]) -> str:
        if not self.knows:
            return f"550 {address} does not live here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.mails.append(message_from_bytes(envelope.content or b"", policy=policy.default))  # type: ignore[arg-type]
        self.recipients.append(list(envelope.rcpt_tos))
        return self.answer


def _check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=isinstance(data, LoginPassword) and data.password == b"right", handled=False)


@pytest.fixture
def post() -> Iterator[tuple[Post, int]]:
    port = free_port()
    handler = Post()
    controller = Controller(handler, hostname="127.0.0.1", port=port, authenticator=_check, auth_require_tls=False)
    controller.start()
    yield handler, port
    controller.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def mails(port: int, **changes: Any) -> MailMessenger:
    server = MailServer(host="127.0.0.1", port=port, sender="headwater@example.com", secure="", **changes)
    return MailMessenger(server, ["a@example.com", "b@example.com"])


def test_a_mail_reaches_every_recipient(post: tuple[Post, int]) -> None:
    """Plain text, a subject with any letters, and a mark that keeps absence notes away."""
    handler, port = post
    mails(port, login="me", password="right").send(MESSAGE)

    (mail,) = handler.mails
    assert (mail["Subject"], mail["From"]) == (MESSAGE.subject, "headwater@example.com")
    assert handler.recipients == [["a@example.com", "b@example.com"]]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().split() == MESSAGE.text.split()


def test_a_refused_login_is_for_a_person(post: tuple[Post, int]) -> None:
    """It is not tried again, and the password stands in no message."""
    with pytest.raises(AuthError) as caught:
        mails(post[1], login="me", password="wrong").send(MESSAGE)
    assert "wrong" not in str(caught.value)


def test_a_mail_server_that_does_not_take_it_may_take_it_later(post: tuple[Post, int]) -> None:
    """An answer of its own, or none at all."""
    handler, port = post
    handler.answer = "451 come back later"
    with pytest.raises(ServerFault):
        mails(port).send(MESSAGE)
    with pytest.raises(ConnectionLost, match=r"127\.0\.0\.1:\d+ does not answer"):
        mails(free_port()).send(MESSAGE)


def test_a_recipient_whom_the_server_does_not_know_stands_in_no_log(post: tuple[Post, int]) -> None:
    """An owner's address is a person's: neither the error nor what led to it, which logs show, names it."""
    handler, port = post
    handler.knows = False
    with pytest.raises(FatalError) as caught:
        mails(port).send(MESSAGE)
    assert "a@example.com" not in "".join(traceback.format_exception(caught.value))
    handler.knows, handler.answer = True, "554 no mail for a@example.com"
    with pytest.raises(ServerFault) as caught:
        mails(port).send(MESSAGE)
    assert "a@example.com" not in "".join(traceback.format_exception(caught.value))


class Hook(BaseHTTPRequestHandler):
    """Take webhooks; the server remembers them."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, dict(self.headers), json.loads(body)))  # type: ignore[attr-defined]
        status, headers = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def hook() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.asked, server.answer = [], (200, {})  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def webhook(server: Any, path: str = "/services/SECRET") -> WebhookMessenger:
    url = f"http://127.0.0.1:{server.server_address[1]}{path}"
    return WebhookMessenger(Webhook(url=url, headers=authorization("", "token")))


def test_a_webhook_gets_the_message_as_json(hook: Any) -> None:
    """With `text`, which chat services show, and the header of its connection."""
    webhook(hook).send(MESSAGE)

    ((path, headers, body),) = hook.asked
    assert (path, headers["Authorization"], body) == ("/services/SECRET", "Bearer token", dict(MESSAGE.body))


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (403, {}, AuthError),
        (404, {}, FatalError),
        (302, {"Location": "http://127.0.0.1:1/"}, FatalError),
        (429, {"Retry-After": "7"}, RateLimited),
        (502, {}, ServerFault),
    ],
)
def test_a_webhook_that_refuses_is_sorted_by_what_happens_next(
    hook: Any, status: int, headers: dict[str, str], error: type[HeadwaterError]
) -> None:
    """No redirect is followed, and the path, which may be the secret, stands in no message."""
    hook.answer = (status, headers)
    with pytest.raises(error) as caught:
        webhook(hook).send(MESSAGE)
    assert type(caught.value) is error
    assert "SECRET" not in str(caught.value)
    assert len(hook.asked) == 1


def test_a_login_makes_a_basic_header() -> None:
    """As Airflow's own HTTP connections do."""
    assert authorization("me", "pw") == {"Authorization": "Basic " + base64.b64encode(b"me:pw").decode()}
    assert authorization("me", "") == {}

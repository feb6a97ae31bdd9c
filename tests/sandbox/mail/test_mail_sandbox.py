"""The mail sink keeps what it gets and shows it."""

from __future__ import annotations

import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import orjson
import pytest
import urllib3

from tests.sandbox.insider_one.running import ROOT, free_port


class Mails:
    def __init__(self, smtp: int, http: int) -> None:
        self.smtp = smtp
        self._url = f"http://127.0.0.1:{http}"
        self._http = urllib3.PoolManager(retries=False)

    def text(self, path: str, method: str = "GET") -> str:
        return self._http.request(method, self._url + path).data.decode()

    def json(self, path: str, method: str = "GET") -> Any:
        return orjson.loads(self.text(path, method))

    def send(self, subject: str, text: str, html: str = "") -> None:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "crm@example.com", "ops@example.com", subject
        message.set_content(text)
        if html:
            message.add_alternative(html, subtype="html")
        with smtplib.SMTP("127.0.0.1", self.smtp) as connection:
            connection.send_message(message)


@pytest.fixture
def mails(tmp_path: Path) -> Iterator[Mails]:
    smtp, http = free_port(), free_port()
    ports = ["--port", str(smtp), "--http-port", str(http)]
    command = [sys.executable, "-m", "include.sandbox.mail", *ports, "--home", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        sink = Mails(smtp, http)
        deadline = time.monotonic() + 30
        while True:
            try:
                sink.json("/sandbox/health")
                break
            except urllib3.exceptions.HTTPError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield sink
        process.kill()


def test_a_mail_is_kept_with_its_text_and_people(mails: Mails) -> None:
    """What was sent over SMTP is in the list, the newest first."""
    mails.send("First", "Hello")
    mails.send("Grüße", "Hallö\nWelt", "<p>Hallö</p>")
    answer = mails.json("/sandbox/mails")
    assert answer["count"] == 2
    newest = answer["mails"][0]
    assert (newest["subject"], newest["from"], newest["to"]) == ("Grüße", "crm@example.com", ["ops@example.com"])
    assert "Hallö" in newest["text"]
    assert newest["html"].strip() == "<p>Hallö</p>"


def test_the_page_shows_a_mail_as_text_never_as_markup(mails: Mails) -> None:
    """A subject or body cannot write into the page."""
    mails.send("<script>x</script>", "<b>body</b>")
    assert "<script>x" not in mails.text("/")
    one = mails.json("/sandbox/mails")["mails"][0]["id"]
    assert "&lt;b&gt;body" in mails.text(f"/mails/{one}")
    assert "No such mail" in mails.text("/mails/passwd")


def test_reset_forgets_all(mails: Mails) -> None:
    """Afterwards the list is empty."""
    mails.send("First", "Hello")
    assert mails.json("/sandbox/reset", "POST") == {"count": 0}
    assert mails.json("/sandbox/mails") == {"count": 0, "mails": []}

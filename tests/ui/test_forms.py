"""Forms are read as they come and no further than they may be long; what is wrong is said by the name of the field."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel

from headwater.ui.api.bodies import read_body
from headwater.ui.forms import MEDIA_TYPE, Form, FormFields, read_form

FIELDS = FormFields(one=("decide", "note"), many={"error": 3}, longest=1_000)


class Sender:
    """Send a body in parts, as a server hands them on, and count how many were taken."""

    def __init__(self, *parts: bytes, endless: bool = False, hangs: bool = False, breaks: bool = False) -> None:
        self.parts, self.endless, self.hangs, self.breaks = list(parts), endless, hangs, breaks
        self.taken = 0

    async def __call__(self) -> dict[str, Any]:
        if self.parts or self.endless:
            self.taken += 1
            part = self.parts.pop(0) if self.parts else b"x" * 100
            more = bool(self.parts) or self.endless or self.hangs or self.breaks
            return {"type": "http.request", "body": part, "more_body": more}
        if self.hangs:
            await asyncio.Event().wait()
        return {"type": "http.disconnect"} if self.breaks else {"type": "http.request", "body": b"", "more_body": False}


def request(sender: Sender, *, kind: str | None = MEDIA_TYPE, **headers: str) -> Request:
    given = {**({"content-type": kind} if kind is not None else {}), **headers}
    app = FastAPI()
    app.state.body_seconds = 0.05 if sender.hangs else 30
    scope = {
        "type": "http", "method": "POST", "path": "/", "query_string": b"", "app": app,
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
    }  # fmt: skip
    return Request(scope, sender)


def read(*parts: bytes, fields: FormFields = FIELDS, **headers: str) -> Form:
    return asyncio.run(read_form(request(Sender(*parts), **headers), fields))


def refusal(sender: Sender, **headers: Any) -> tuple[int, str]:
    with pytest.raises(HTTPException) as refused:
        asyncio.run(read_form(request(sender, **headers), FIELDS))
    return refused.value.status_code, refused.value.detail


def test_a_form_says_what_its_fields_say() -> None:
    """In whatever parts it comes, however its letters are written, and with fields that are empty or not there."""
    form = read(b"decide=re", b"try&error=1&err", b"or=2&note=%C3%A9+%2B\xc3\xa9", kind=f"{MEDIA_TYPE}; charset=UTF-8")
    assert (form.one("decide"), form.many("error"), form.one("note")) == ("retry", ("1", "2"), "é +é")
    assert read(b"decide=&note").values == {"decide": ("",), "note": ("",)}
    assert read(b"").one("decide", "none") == "none"
    assert read().many("error") == ()
    assert read(b"&decide=a&&").one("decide") == "a"


@pytest.mark.parametrize(
    "kind",
    [None, "", "text/plain", "application/json", "multipart/form-data; boundary=x", f"{MEDIA_TYPE}x",
     f"{MEDIA_TYPE}; charset=utf-16", f"{MEDIA_TYPE}; charset=latin-1"],
)  # fmt: skip
def test_what_is_no_form_by_its_own_word_is_not_read(kind: str | None) -> None:
    """A page of another site can send text without asking the browser; nothing of ours does."""
    sender = Sender(b"decide=retry")
    status, told = refusal(sender, kind=kind)
    assert (status, sender.taken) == (415, 0)
    assert "UTF-8" in told or MEDIA_TYPE in told


def test_a_packed_form_is_not_read() -> None:
    """It could be a thousand times as long as it looks."""
    sender = Sender(b"\x1f\x8b")
    assert refusal(sender, content_encoding="gzip")[0] == 415
    assert sender.taken == 0


@pytest.mark.parametrize("said", ["1001", "999999999999", "9" * 400])
def test_a_form_that_says_it_is_too_long_is_not_read(said: str) -> None:
    """Nothing of it is taken."""
    sender = Sender(b"decide=retry")
    assert refusal(sender, content_length=said) == (413, "The form is longer than 1,000 bytes. Send less at once.")
    assert sender.taken == 0


@pytest.mark.parametrize("said", [{}, {"content_length": "12"}, {"content_length": "-1"}, {"content_length": "²"},
                                  {"transfer_encoding": "chunked"}])  # fmt: skip
def test_an_endless_form_is_read_to_the_bound_whatever_it_says(said: dict[str, str]) -> None:
    """A length may be a lie, or not be said."""
    sender = Sender(endless=True)
    assert refusal(sender, **said)[0] == 413
    assert sender.taken == 11


def test_a_form_as_long_as_it_may_be_is_read() -> None:
    """One byte more is refused."""
    assert len(read(b"note=" + b"x" * 995).one("note")) == 995
    assert refusal(Sender(b"note=" + b"x" * 996))[0] == 413


def test_a_form_that_never_ends_or_breaks_off_is_refused() -> None:
    """The person is told to send it again; nothing is decided by half a form."""
    assert refusal(Sender(b"decide=retry&error=1", hangs=True)) == (
        408, "The form took too long to arrive. Send it again.",
    )  # fmt: skip
    assert refusal(Sender(b"decide=retry&error=1", breaks=True)) == (400, "The form broke off. Send it again.")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"decide=a&decide=b", "The field “decide” of the form must stand in it once."),
        (b"decide=a&decide=a", "The field “decide” of the form must stand in it once."),
        (b"decide=&decid%65=", "The field “decide” of the form must stand in it once."),
        (b"error=1&error=2&error=3&error=4", "The field “error” of the form must not stand in it more than 3 times."),
        (b"note=%ff", "The field “note” of the form must be text in UTF-8."),
        (b"note=\xff\xfe", "The field “note” of the form must be text in UTF-8."),
        (b"note=%ed%a0%80", "The field “note” of the form must be text in UTF-8."),
        (b"error=1&note=a%00b", "The field “note” of the form must not hold the character NUL."),
        (b"error=1&" * 6, "The form has more than 5 fields."),
        (b"ada%40example.com=1", "The form has a field that is not known. It may have: decide, note, error."),
        (b"%ff=1", "The form has a field that is not known. It may have: decide, note, error."),
        (b"=1", "The form has a field that is not known. It may have: decide, note, error."),
        (b"error[]=1", "The form has a field that is not known. It may have: decide, note, error."),
        (b"decide=a;error=1&x", "The form has a field that is not known. It may have: decide, note, error."),
    ],
)
def test_what_is_wrong_is_said_by_the_name_of_the_field(body: bytes, told: str) -> None:
    """And never with what was sent."""
    assert refusal(Sender(body)) == (400, told)


class Order(BaseModel):
    """Be a body of the JSON API."""

    decision: str


def test_json_is_read_by_the_same_rules() -> None:
    """To the bound, whole, and of its own type."""

    def asked(sender: Sender, **headers: str) -> int:
        with pytest.raises(HTTPException) as refused:
            asyncio.run(read_body(request(sender, **({"kind": "application/json"} | headers)), Order))
        return refused.value.status_code

    assert asked(Sender(endless=True)) == 413
    assert asked(Sender(b"{}"), content_length="100001") == 413
    assert asked(Sender(b'{"decision": ', hangs=True)) == 408
    assert asked(Sender(b'{"decision": ', breaks=True)) == 400
    assert asked(Sender(b"{}"), kind="text/plain") == 415
    assert asked(Sender(b"{}"), content_encoding="br") == 415


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, int]]:
    """Yield where a server of HTTP answers with a form's fields."""
    app = FastAPI()

    async def fields(request: Request) -> Form:
        return await read_form(request, FIELDS)

    @app.post("/")
    def answer(form: Form = Depends(fields)) -> dict[str, Any]:  # noqa: B008
        return {name: list(found) for name, found in form.values.items()}

    listening = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield listening.getsockname()
    running.should_exit = True
    thread.join(20)
    listening.close()


HEAD = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {MEDIA_TYPE}\r\n".encode()


def sent(server: tuple[str, int], *parts: bytes, then: bytes = b"", most: int = 200) -> bytes:
    """Return the answer to what is sent, with `then` sent until somebody answers or hangs up, `most` times."""
    with socket.create_connection(server, timeout=30) as line:
        for part in parts:
            line.sendall(part)
        for _ in range(most if then else 0):
            try:
                line.sendall(then)
            except OSError:
                break
        found = b""
        try:
            while part := line.recv(65_536):
                found += part
                if found.endswith((b"}", b"Invalid HTTP request received.")):
                    break
        except ConnectionResetError:
            pass
        return found


def test_bodies_over_http_that_lie_about_their_length(server: tuple[str, int]) -> None:
    """Shorter than said, longer than said, in chunks without a length, and without an end."""
    assert b'{"decide":["retry"]}' in sent(server, HEAD, b"Content-Length: 12\r\n\r\ndecide=retry")
    longer = sent(server, HEAD, b"Content-Length: 12\r\n\r\ndecide=retry&error=1&error=2")
    assert b'"error"' not in longer  # what comes after the length is no part of the form
    chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    assert b'{"decide":["retry"]}' in sent(server, chunked, b"7\r\ndecide=\r\n5\r\nretry\r\n0\r\n\r\n")
    chunk = b"3e8\r\n" + b"x" * 1_000 + b"\r\n"
    assert b"413" in sent(server, chunked, b"5\r\nnote=\r\n", then=chunk).partition(b"\r\n")[0]
    assert b"413" in sent(server, HEAD, b"Content-Length: 5000000\r\n\r\nnote=").partition(b"\r\n")[0]
    for both in (b"Content-Length: 4\r\nContent-Length: 12\r\n\r\n", b"Content-Length: -3\r\n\r\n"):
        assert b" 400 " in sent(server, HEAD, both, b"decide=retry").partition(b"\r\n")[0]

"""An answer that does not end, in bytes or in time, is a lost one: it holds up no push and fills no memory."""

from __future__ import annotations

import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator

import pytest

from include.destinations.line import Line, Patience, Request
from include.errors import ConnectionLost

Say = Callable[[socket.socket], None]


@pytest.fixture
def answering() -> Iterator[Callable[[Say], Line]]:
    """Return what makes a line to somebody who answers each request in a way of its own."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def line(say: Say) -> Line:
            def answer() -> None:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65_536)
                    try:
                        say(connection)
                    except OSError:  # we hung up
                        return

            threading.Thread(target=answer, daemon=True).start()
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            return Line(title="Acme", base_url=url, headers={}, patience=Patience(read_timeout_seconds=0.5))

        yield line


def test_a_packed_answer_without_end_is_not_unpacked(answering: Callable[[Say], Line]) -> None:
    """Half a megabyte that would be six hundred."""
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(pack.compress(bytes(1_000_000)) for _ in range(600)) + pack.flush()
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)

    with pytest.raises(ConnectionLost, match="does not end"):
        answering(lambda connection: connection.sendall(head + packed)).ask(Request(method="GET", path="/"))


def test_an_answer_that_drips_is_given_up(answering: Callable[[Say], Line]) -> None:
    """Each byte comes in time; together they would take a minute."""

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n")
        for _ in range(600):
            connection.sendall(b"x")
            time.sleep(0.1)

    with pytest.raises(ConnectionLost, match="does not end"):
        answering(drip).ask(Request(method="GET", path="/"))


def test_an_answer_in_pieces_is_read_as_one(answering: Callable[[Say], Line]) -> None:
    """However they arrive."""
    pieces = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"

    reply = answering(lambda connection: connection.sendall(pieces)).ask(Request(method="GET", path="/"))

    assert (reply.status, reply.body) == (200, b"hello world")


@pytest.mark.parametrize("text", ["Mon, 01 Jan 2024 00:00:00 +99999999999999", "Mon, 01 Jan 99999 00:00:00 GMT"])
def test_an_impossible_date_to_wait_for_is_none(answering: Callable[[Say], Line], text: str) -> None:
    """The throttle is one all the same."""
    head = f"HTTP/1.1 429 Slow down\r\nRetry-After: {text}\r\nContent-Length: 0\r\n\r\n".encode()

    reply = answering(lambda connection: connection.sendall(head)).ask(Request(method="GET", path="/"))

    assert (reply.status, reply.retry_after_seconds) == (429, None)

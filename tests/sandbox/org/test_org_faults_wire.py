"""Connections that fail, as a client sees them: on a bare socket, with requests and with httpx."""

from __future__ import annotations

import gzip
import socket
import zlib
from collections.abc import Iterator

import httpx
import pytest
import requests

from tests.sandbox.org.conftest import RunningOrg, V

_QUERY = f"{V}/query?q=SELECT+Id,Name+FROM+Contact"


@pytest.fixture(autouse=True)
def _calm_afterwards(org: RunningOrg) -> Iterator[None]:
    yield
    org.command("faults", clear=True)


def _raw(org: RunningOrg, path: str = _QUERY, **headers: str) -> tuple[bytes, bool]:
    """Send one request over a bare socket; return what came, and whether a reset ended it."""
    url = httpx.URL(org.url)
    lines = [f"GET {path} HTTP/1.1", f"Host: {url.host}:{url.port}", f"Authorization: {_bearer(org)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()] + ["", ""]
    came = b""
    with socket.create_connection((str(url.host), url.port or 80), timeout=10) as connection:
        connection.sendall("\r\n".join(lines).encode())
        try:
            while piece := connection.recv(65_536):
                came += piece
        except ConnectionResetError:
            return came, True
    return came, False


def _bearer(org: RunningOrg) -> str:
    return str(org.http.headers["Authorization"])


def _get(org: RunningOrg, path: str = _QUERY) -> requests.Response:
    return requests.get(org.url + path, headers={"Authorization": _bearer(org)}, timeout=10)


def test_a_reset_comes_before_any_byte(org: RunningOrg) -> None:
    """No status line, but a reset; both clients call it a lost connection, and the next call is fine."""
    org.command("faults", kind="reset", match=V, times=3)
    assert _raw(org) == (b"", True)
    with pytest.raises(requests.ConnectionError):
        _get(org)
    with pytest.raises(httpx.ReadError):
        org.http.get(_QUERY)
    assert org.http.get(_QUERY).status_code == 200


def test_a_reset_in_mid_body_follows_half_of_it(org: RunningOrg) -> None:
    """The headers promise more than came."""
    org.command("faults", kind="reset_in_body", match=V, times=2)
    came, reset = _raw(org)
    head, _, body = came.partition(b"\r\n\r\n")
    assert reset
    assert head.startswith(b"HTTP/1.1 200")
    assert len(body) == _promised(head) // 2
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        _get(org)


def test_half_a_body_ends_in_order_but_too_early(org: RunningOrg) -> None:
    """Content-Length is larger than what was sent; no reset."""
    org.command("faults", kind="half_body", match=V, times=3, bytes=1000)
    came, reset = _raw(org)
    head, _, body = came.partition(b"\r\n\r\n")
    assert not reset
    assert (len(body), _promised(head) > 1000) == (1000, True)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        _get(org)
    with pytest.raises(httpx.RemoteProtocolError):
        org.http.get(_QUERY)


def test_a_chunked_answer_stops_without_its_last_chunk(org: RunningOrg) -> None:
    """Transfer-Encoding: chunked, and no 0 at the end."""
    org.command("faults", kind="cut_chunked", match=V, times=2)
    came, reset = _raw(org)
    head, _, body = came.partition(b"\r\n\r\n")
    assert not reset
    assert b"transfer-encoding: chunked" in head.lower()
    assert not body.endswith(b"0\r\n\r\n")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        _get(org)


def test_bulk_results_can_be_cut_too(org: RunningOrg) -> None:
    """The streamed pages of a job break off like any other answer."""
    job = org.bulk("SELECT Id, Name FROM Contact")
    org.command("faults", kind="half_body", match=f"{V}/jobs/query/{job}/results")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        _get(org, f"{V}/jobs/query/{job}/results")
    assert _get(org, f"{V}/jobs/query/{job}/results").text.count("\n") >= 401


def test_torn_gzip_is_whole_as_http(org: RunningOrg) -> None:
    """Every promised byte comes, and they unpack to half an answer; who asks for no gzip is spared."""
    org.command("faults", kind="truncated_gzip", match=V, times=2)
    assert b"content-encoding" not in _raw(org, Connection="close")[0].lower()
    came, reset = _raw(org, **{"Accept-Encoding": "gzip", "Connection": "close"})
    head, _, body = came.partition(b"\r\n\r\n")
    assert not reset
    assert b"content-encoding: gzip" in head.lower()
    assert len(body) == _promised(head)
    with pytest.raises(EOFError):
        gzip.decompress(body)
    assert zlib.decompressobj(31).decompress(body).startswith(b'{"totalSize":400')
    with pytest.raises(ValueError, match=r"."):  # requests unpacks what there is; the JSON breaks off
        _get(org).json()


def test_torn_gzip_of_bulk_results(org: RunningOrg) -> None:
    """A packed page of CSV is torn the same way."""
    job = org.bulk("SELECT Id, Name FROM Contact")
    org.command("faults", kind="truncated_gzip", match=f"{V}/jobs/query/{job}/results")
    came, _ = _raw(org, f"{V}/jobs/query/{job}/results", **{"Accept-Encoding": "gzip", "Connection": "close"})
    with pytest.raises(EOFError):
        gzip.decompress(came.partition(b"\r\n\r\n")[2])


def test_a_slow_drip_arrives_whole(org: RunningOrg) -> None:
    """Drop by drop, but all of it."""
    org.command("faults", kind="slow_drip", match=V, pieces=4, pause=0.01)
    assert _get(org).json()["totalSize"] == 400


def test_a_lost_answer_hides_what_was_done(org: RunningOrg) -> None:
    """The record is made, but the client sees a reset only."""
    org.command("faults", kind="lost_answer", method="POST", object="Contact")
    with pytest.raises(requests.ConnectionError):
        requests.post(
            f"{org.url}{V}/sobjects/Contact",
            json={"LastName": "Made unseen"},
            headers={"Authorization": _bearer(org)},
            timeout=10,
        )
    assert org.query("SELECT Id FROM Contact WHERE LastName = 'Made unseen'")["totalSize"] == 1


def test_a_hanging_call_ends_in_a_reset(org: RunningOrg) -> None:
    """Nothing comes for a while, then the connection dies; a client with less patience times out before."""
    org.command("faults", kind="hang", match=V, seconds=0.3, times=2)
    with pytest.raises(httpx.ReadTimeout):
        org.http.get(_QUERY, timeout=0.05)
    assert _raw(org) == (b"", True)


def _promised(head: bytes) -> int:
    return next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))

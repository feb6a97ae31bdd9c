"""HTTP below the client: time limits, certificates, and what is worth a repeat."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from include.errors import ConnectionLost, Unreachable
from include.salesforce.repeats import pause_before_repeat
from include.salesforce.transport import Request, Transport, is_loopback


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_an_answer_that_never_comes_is_a_lost_connection_after_one_try(silent_port: int, slept: list[float]) -> None:
    """Another wait of the same length is the task's to decide."""
    request = Request(method="GET", url=f"http://127.0.0.1:{silent_port}/", doing="read the limits", read_seconds=0.05)
    with pytest.raises(ConnectionLost, match=r"could not read the limits: .* did not answer in time"):
        Transport(sleep=slept.append).send(request)
    assert slept == []


@pytest.fixture
def distrusted_port(tmp_path: Path) -> Iterator[int]:
    """A TLS port whose certificate nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    both = tmp_path / "server.pem"
    both.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    server = socket.create_server(("127.0.0.1", 0))

    def refuse_politely() -> None:
        try:
            connection, _ = server.accept()
            with connection, context.wrap_socket(connection, server_side=True):
                pass
        except OSError:
            pass  # the client hangs up, which is what the test is about

    thread = threading.Thread(target=refuse_politely, daemon=True)
    thread.start()
    yield server.getsockname()[1]
    server.close()
    thread.join()


def test_a_certificate_that_is_not_trusted_is_unreachable_at_once(distrusted_port: int, slept: list[float]) -> None:
    """And never worked around."""
    request = Request(method="GET", url=f"https://127.0.0.1:{distrusted_port}/", doing="sign in")
    with pytest.raises(Unreachable, match="shows a certificate that this machine does not trust"):
        Transport(sleep=slept.append).send(request)
    assert slept == []


@pytest.mark.parametrize(
    ("status", "code", "retry_after", "tries", "pause"),
    [
        (503, "", "", 1, 0.2),
        (503, "", "", 2, 0.5),
        (503, "", "", 3, 1.25),
        (503, "", "", 4, None),
        (429, "", "2", 1, 2.0),
        (429, "", "9", 1, None),
        (429, "", "Sat, 31 Jan 2026 10:00:00 GMT", 1, 0.2),
        (400, "UNABLE_TO_LOCK_ROW", "", 1, 0.2),
        (400, "MALFORMED_QUERY", "", 1, None),
        (500, "QUERY_TIMEOUT", "", 1, None),
        (401, "INVALID_SESSION_ID", "", 1, None),
        (403, "REQUEST_LIMIT_EXCEEDED", "", 1, None),
        (200, "", "", 1, None),
    ],
)
def test_what_is_worth_a_repeat_and_after_how_long(
    status: int, code: str, retry_after: str, tries: int, pause: float | None
) -> None:
    """By status, code, Retry-After and number of tries."""
    body = b'[{"errorCode": "%s"}]' % code.encode()
    headers = {"retry-after": retry_after}
    assert pause_before_repeat(status, headers, body, tries=tries, jitter=1.0) == pause


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8090", True),
        ("http://localhost:8090/x", True),
        ("http://[::1]:8090", True),
        ("https://acme.my.salesforce.com", False),
        ("https://127.0.0.1.example.com", False),
    ],
)
def test_loopback_is_this_machine_only(url: str, loopback: bool) -> None:
    """A name that begins like an address is none."""
    assert is_loopback(url) is loopback

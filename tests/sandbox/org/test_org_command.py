"""The command that runs the org alone."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from include.sandbox.org import credentials
from tests.sandbox.org.secured import SecuredOrg, free_ports, running_secured

ROOT = Path(__file__).parents[3]


def _command(home: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "include.sandbox.org", "--home", str(home), *more]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(home: Path, *more: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    port = _free_port()
    command = [*_command(home, *more), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                if httpx.get(f"{url}/sandbox/health").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url, process
    finally:
        process.terminate()
        process.wait(20)


def test_it_keeps_what_changed_and_prints_a_sheet(tmp_path: Path) -> None:
    """Started again, it serves the same changed records; the sheet tells how to sign in, and how to get more doors."""
    with _running(tmp_path, "--contacts", "40", "--seed", "3") as (url, process):
        assert httpx.get(f"{url}/sandbox/health").json() == {"ready": True, "contacts": 40, "seed": 3}
        httpx.post(f"{url}/sandbox/delete", json={"object": "Contact", "n": 5})
        process.terminate()
        sheet = process.communicate(timeout=20)[0]
        for secret in (
            credentials.CLIENT_ID,
            credentials.CLIENT_SECRET,
            credentials.REFRESH_TOKEN,
            credentials.USERNAME,
        ):
            assert secret in sheet
    assert "start it with --tls-port and --proxy-port" in sheet
    assert not (tmp_path / "tls").exists()
    with _running(tmp_path, "--quiet") as (url, process):
        assert httpx.get(f"{url}/sandbox/counts").json()["Contact"] == {"present": 35, "deleted": 5}
        process.terminate()
        assert process.communicate(timeout=20)[0] == ""


def test_what_stands_in_the_way_is_told_at_once(tmp_path: Path) -> None:
    """A taken port, a home in use, a home with other records: one clear line each; --fresh makes new records."""
    with _running(tmp_path, "--contacts", "4", "--seed", "3") as (url, _):
        port = url.rpartition(":")[2]
        command = _command(tmp_path / "other", "--port", port)
        taken = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (taken.returncode, taken.stderr) == (
            2,
            f"Port {port} of 127.0.0.1 is taken. Stop what listens there, or choose another --port.\n",
        )
        command = _command(tmp_path, "--port", str(_free_port()))
        in_use = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert in_use.returncode == 2
        assert "another org may be running on it" in in_use.stderr
    command = _command(tmp_path, "--seed", "4", "--port", str(_free_port()))
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "holds an org with seed 3, not 4" in refused.stderr
    assert "--fresh" in refused.stderr
    with _running(tmp_path, "--seed", "4", "--contacts", "6", "--fresh") as (url, _):
        assert httpx.get(f"{url}/sandbox/health").json()["contacts"] == 6


def test_all_ports_are_looked_at_before_anything_is_made(tmp_path: Path) -> None:
    """The option to change is named."""
    port, free = free_ports(2)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        for option in ("tls-port", "proxy-port"):
            command = _command(tmp_path / "none", "--port", str(free), f"--{option}", str(port))
            refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert (refused.returncode, refused.stderr) == (
                2,
                f"Port {port} of 127.0.0.1 is taken. Stop what listens there, or choose another --{option}.\n",
            )
    assert not (tmp_path / "none").exists()


def test_the_sheet_points_clients_at_the_org(tmp_path: Path) -> None:
    """Its environment and its lines for curl and simple-salesforce work as they are printed; one signal ends all."""
    with running_secured(tmp_path, "--contacts", "8", "--seed", "3") as org:
        parts = _snippets(org)
        shown = subprocess.run(["bash", "-c", parts["curl"]], capture_output=True, text=True, check=True).stdout
        assert f'"instance_url":"{org.tls_url}"' in shown
        (environment,) = [lines for client, lines in parts.items() if "environment in which" in client]
        (script,) = [lines for client, lines in parts.items() if client.startswith("simple-salesforce")]
        command = f"{environment}\n{sys.executable} - <<'END'\n{script}\nEND"
        ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stdout) == (0, "8\n"), ran.stderr


def _snippets(org: SecuredOrg) -> dict[str, str]:
    """Stop reading the sheet where the last client's lines end."""
    assert org.process.stdout is not None
    parts: dict[str, str] = {}
    client = ""
    for line in org.process.stdout:
        if line.startswith("# "):
            client = line[2:].strip()
        elif client:
            parts[client] = parts.get(client, "") + line
        if line.startswith("sf data query"):
            break
    return parts

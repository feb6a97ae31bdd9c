"""A home of its own for each test, and nothing left running after it."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from include.local.account import system_place
from include.local.services import Service
from include.local.site import Site, read_site
from include.local.supervision import shut_down


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    home = tmp_path / "home"
    variables = ("PORT", "ORG_PORT", "DEST_PORT", "MAIL_PORT", "WAREHOUSE_PORT")
    ports = dict(zip(variables, map(str, free_ports(len(variables))), strict=True))
    found = read_site({"HEADWATER_HOME": str(home), "CONTACTS": "2000", **ports})
    found.prepare()
    yield found
    shut_down(found)
    shutil.rmtree(system_place(found.home), ignore_errors=True)


@pytest.fixture
def program(site: Site) -> Callable[..., Service]:
    """Make a small service out of Python code."""

    def make(code: str = "import time; time.sleep(600)", *, name: str = "small", **more: object) -> Service:
        command = [sys.executable, "-c", code]
        return Service(name=name, command=command, log=str(site.log(name)), layer=1, stop_seconds=3, **more)  # type: ignore[arg-type]

    return make


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports

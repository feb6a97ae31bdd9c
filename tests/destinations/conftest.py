from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.destinations import hubspot_line, intercom_line
from tests.sandbox.insider_one.running import Sandbox, running_sandbox
from tests.sandbox.running import Running, running


@pytest.fixture(scope="session")
def one_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Yield a sandbox that the tests of this folder share."""
    with running_sandbox(tmp_path_factory.mktemp("insider_one")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(one_sandbox: Sandbox) -> Sandbox:
    """Return a running sandbox that holds nothing."""
    one_sandbox.post("/sandbox/reset")
    return one_sandbox


@pytest.fixture(scope="session")
def one_intercom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yield a sandbox Intercom that the tests of this folder share; its window is wide."""
    home = tmp_path_factory.mktemp("intercom")
    with running("intercom", home, "--requests", "1000000", headers=intercom_line.HEADERS) as sandbox:
        yield sandbox


@pytest.fixture
def intercom(one_intercom: Running) -> Running:
    """Return a running Intercom that holds nothing."""
    one_intercom.post("/sandbox/reset")
    one_intercom.post("/sandbox/search_delay", {"seconds": 0})
    return one_intercom


@pytest.fixture(scope="session")
def one_hubspot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yield a sandbox HubSpot that the tests of this folder share; its window is wide."""
    home = tmp_path_factory.mktemp("hubspot")
    with running("hubspot", home, "--requests", "1000000", headers=hubspot_line.HEADERS) as sandbox:
        yield sandbox


@pytest.fixture
def hubspot(one_hubspot: Running) -> Running:
    """Return a running HubSpot that holds nothing."""
    one_hubspot.post("/sandbox/reset")
    return one_hubspot

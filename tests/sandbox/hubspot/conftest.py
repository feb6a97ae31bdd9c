from __future__ import annotations

from collections.abc import Iterator

import pytest

from include.sandbox.hubspot.credentials import TOKEN
from tests.sandbox.running import Running, running

HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}


@pytest.fixture(scope="session")
def one_hubspot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yield a sandbox that the tests of this folder share."""
    home = tmp_path_factory.mktemp("hubspot")
    with running("hubspot", home, "--requests", "1000000", headers=HEADERS) as sandbox:
        yield sandbox


@pytest.fixture
def hubspot(one_hubspot: Running) -> Running:
    """Return a running sandbox that holds nothing."""
    one_hubspot.post("/sandbox/reset")
    return one_hubspot

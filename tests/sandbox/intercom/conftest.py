from __future__ import annotations

from collections.abc import Iterator

import pytest

from include.sandbox.intercom.credentials import TOKEN
from tests.sandbox.running import Running, running

HEADERS = {"Authorization": f"Bearer {TOKEN}", "Intercom-Version": "2.16", "Content-Type": "application/json"}


@pytest.fixture(scope="session")
def one_intercom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yield a sandbox that the tests of this folder share."""
    home = tmp_path_factory.mktemp("intercom")
    with running("intercom", home, "--requests", "1000000", headers=HEADERS) as sandbox:
        yield sandbox


@pytest.fixture
def intercom(one_intercom: Running) -> Running:
    """Return a running sandbox that holds nothing."""
    one_intercom.post("/sandbox/reset")
    one_intercom.post("/sandbox/search_delay", {"seconds": 0})
    return one_intercom

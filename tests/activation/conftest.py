from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.activation.source import Org
from tests.sandbox.insider_one.running import Sandbox, running_sandbox


@pytest.fixture
def org(warehouse: Engine) -> Org:
    """Return an empty org whose first loads are complete."""
    org = Org(warehouse)
    org.lay_out()
    return org


@pytest.fixture(scope="session")
def one_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Yield a sandbox Insider One that the tests of this folder share."""
    with running_sandbox(tmp_path_factory.mktemp("platform")) as sandbox:
        yield sandbox


@pytest.fixture
def platform(one_platform: Sandbox) -> Sandbox:
    """Return a running sandbox Insider One that holds nothing."""
    one_platform.post("/sandbox/reset")
    return one_platform

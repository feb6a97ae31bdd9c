from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sandbox.insider_one.running import Sandbox, running_sandbox


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

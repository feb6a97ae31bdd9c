"""One process serves every platform; each has its own paths, its own memory and its own control plane."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from include.config.platforms import PLATFORMS
from include.destinations.catalogue import entry, platforms
from include.destinations.protocol import Access, Destination, Policy
from include.local.connections import sandbox_access
from include.records import Outcome, Profile
from include.sandbox.destinations.app import prefix
from tests.sandbox.running import Running, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("destinations", tmp_path_factory.mktemp("destinations")) as sandbox:
        yield sandbox


def opened(name: str, server: Running) -> Destination:
    wanted = sandbox_access(name, server.url)
    access = Access(
        name=f"{name}_demo", base_url=wanted["host"], login=wanted.get("login", ""), secret=wanted["password"],
        extras=wanted.get("extra", {}),
    )  # fmt: skip
    return entry(name).open(access, bucket=None, policy=Policy())


def test_every_platform_of_the_catalogue_is_known_to_definitions() -> None:
    """And the other way round: what a definition may name can be sent to."""
    assert set(platforms()) <= set(PLATFORMS)


@pytest.mark.parametrize("name", platforms())
def test_every_platform_takes_a_profile_over_its_sandbox_connection(server: Running, name: str) -> None:
    """With the connection that a local installation makes for it."""
    destination = opened(name, server)
    destination.test()
    profile = Profile(
        record_id="r1", identifiers={"uuid": "u1", "email": "ada@example.com"}, attributes=_attributes(name)
    )
    (batch,) = destination.build([profile], skip_hook=False)
    (receipt,) = destination.send(batch).receipts
    assert receipt.outcome in (Outcome.DELIVERED, Outcome.ACCEPTED), receipt
    mine = Running(server.url + prefix(name), server.http)
    assert mine.get("/sandbox/health") == {"status": "ok", "service": name}
    assert sum(mine.counts["requests_by_status"].values() if "requests_by_status" in mine.counts else [1]) >= 1


@pytest.mark.parametrize("name", platforms())
def test_a_limit_and_a_capability_of_a_platform_are_what_definitions_are_judged_by(server: Running, name: str) -> None:
    """The table of promises and the platform's file say the same."""
    destination, most = opened(name, server), PLATFORMS[name].max_batch
    assert destination.capabilities == PLATFORMS[name].capabilities
    people = (
        Profile(record_id=f"r{n}", identifiers={"uuid": f"u{n}", "email": f"u{n}@example.com"}, attributes={})
        for n in range(most + 1)
    )
    assert [len(batch.records) for batch in destination.build(people, skip_hook=False)] == [most, 1]


def test_a_fault_of_one_platform_is_no_fault_of_another(server: Running) -> None:
    """Each has orders of its own."""
    Running(server.url + "/klaviyo", server.http).fault(status=503, times=1)
    opened("braze", server).test()
    with pytest.raises(Exception, match="503"):
        opened("klaviyo", server).test()


def test_nothing_else_is_served(server: Running) -> None:
    """An unknown path is a 404."""
    assert urllib3.request("GET", server.url + "/nowhere/api").status == 404


def _attributes(name: str) -> dict[str, Any]:
    first = {"insider_one": "name", "intercom": "name", "webhook": "name", "hubspot": "firstname"}
    return {first.get(name, "first_name"): "Ada"}

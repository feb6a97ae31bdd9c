"""A push to a platform that tells later, from the selection to the settled outcome, against the sandbox Klaviyo."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from include.activation.deliver import deliver_push
from include.destinations.klaviyo.destination import Klaviyo
from include.records import OutcomeCounts
from include.sandbox.klaviyo.credentials import KEY
from tests.activation.source import NOW, Org, definition, select
from tests.sandbox.running import Running, running

PUSH = definition(
    destination={"platform": "klaviyo", "connection": "klaviyo_demo"},
    identifiers={"uuid": "Id", "email": "Email"},
    attributes={"first_name": "FirstName", "last_name": "LastName"},
    custom_attributes={"title": "Title"},
    custom_fixed={},
    event={"name": "Contact updated", "custom_params": {"title": "Title"}},
)


@pytest.fixture(scope="module")
def klaviyo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("klaviyo", tmp_path_factory.mktemp("klaviyo"), "--job-seconds", "0", "--pace", "1000") as sandbox:
        yield sandbox


def test_what_klaviyo_accepts_is_settled_in_the_same_run(org: Org, klaviyo: Running) -> None:
    """Its job has told by the time that the delivery asks: every record is delivered, with its event, once."""
    org.add_contacts(5, Title="CTO")
    platform = Klaviyo(base_url=klaviyo.url, key=KEY)

    counts = [
        deliver_push(
            org.engine, PUSH, platform, run_id=select(org.engine, PUSH).run_id, skip_hook=False, fast_fail=False,
            batch_size=2, now=lambda: NOW, job_pauses=(0.2, 0.5, 1.0),
        )
        for _ in range(2)
    ]  # fmt: skip

    assert counts == [OutcomeCounts(selected=5, delivered=5), OutcomeCounts(selected=5, unchanged=5)]
    assert klaviyo.counts["profiles"] == 5
    assert klaviyo.counts["events"] == 5
    assert org.run("SELECT count(*) AS n FROM headwater.accepted")[0].n == 0
    assert {row.state for row in org.run("SELECT state FROM headwater.outbox")} == {"delivered"}

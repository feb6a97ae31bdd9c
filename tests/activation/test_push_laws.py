"""Laws that hold whatever happens to the records between pushes."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.activation.options import PushRunOptions
from tests.activation.source import Org, contact_id, definition, deliver, insider_one, select
from tests.sandbox.insider_one.running import Sandbox

RECORDS = 4
OPTIONS = PushRunOptions(batch_size=2)
changes = st.tuples(st.integers(1, RECORDS), st.sampled_from(["CTO", "CEO", "", "Engineer"]))
faults = st.sampled_from(
    [None, {"reject_indexes": [0]}, {"reject_all": True}, {"after_store": True, "drop_answer": True}]
)
rounds = st.lists(st.tuples(st.lists(changes, max_size=3), faults), min_size=1, max_size=4)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds)
def test_the_platform_ends_with_what_the_mapping_says(org: Org, platform: Sandbox, steps: list[Any]) -> None:
    """After changes, refusals and lost answers: no change is told twice, and in the end every profile is right."""
    platform.post("/sandbox/reset")
    for table in ("outbox", "sent", "outcome", "selection", "sync_error CASCADE", "run CASCADE"):
        org.run(f"TRUNCATE headwater.{table}")
    org.run('TRUNCATE salesforce_demo."Contact"')
    org.add_contacts(RECORDS, Title="new")
    push, minutes = definition(), 0
    told = dict.fromkeys(range(1, RECORDS + 1), 1)  # how many changes there were to tell of each record
    for changed, fault in [*steps, ([(number, "last") for number in told], None)]:
        for number, title in changed:
            minutes += 1
            told[number] += 1
            org.touch(number, minutes=minutes, Title=title)
        if fault:
            platform.fault(**fault)
        run = select(org.engine, push)
        counts = deliver(org.engine, push, insider_one(platform.url), run.run_id, options=OPTIONS)
        assert counts.settled == counts.selected == RECORDS
        platform.http.request("DELETE", platform.url + "/sandbox/faults")

    for number, most in told.items():
        profile = platform.get(f"/sandbox/profile?uuid={contact_id(number)}")
        assert profile["attributes"]["custom"]["title"] == "last"
        assert len(profile["events"]) <= most
    again = select(org.engine, push)
    assert again.to_send == 0

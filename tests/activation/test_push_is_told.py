"""What people are told of a push follows from its runs over everything, not from those over a few chosen records."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from include.activation.options import PushMode
from include.notifications.conditions import conditions_of
from include.warehouse.engine import transaction
from include.warehouse.notable import read_notable
from tests.activation.source import Org, contact_id, definition, deliver, select
from tests.faults.counting import Counting, Ledger, counting_platform

PUSH = definition(identifiers={"uuid": "Id"})


@pytest.fixture
def counting() -> Iterator[tuple[Ledger, str]]:
    """Yield a platform that counts."""
    with counting_platform("dedupes") as found:
        yield found


def degraded(org: Org) -> bool:
    """Return whether the push counts as degraded."""
    with transaction(org.engine) as connection:
        notable = read_notable(
            connection, "demo", kind="push", subjects=[PUSH.push], objects=[], dag_id="push", dag_run_id="r"
        )
    (condition,) = [each for each in conditions_of("demo", notable, [], {}) if each.key.startswith("degraded:")]
    return condition.holds


def test_retrying_one_error_does_not_end_the_trouble_with_the_others(org: Org, counting: tuple[Ledger, str]) -> None:
    """One of two refused records arrives; the push is well again when a run over everything says so."""
    ledger, url = counting
    org.add_contacts(5)
    platform = Counting(url, "dedupes")
    ledger.reject |= {contact_id(1), contact_id(2)}
    deliver(org.engine, PUSH, platform, select(org.engine, PUSH).run_id)
    assert degraded(org)

    ledger.reject.clear()
    chosen = select(org.engine, PUSH, mode=PushMode.ALL, record_ids=(contact_id(1),))
    assert deliver(org.engine, PUSH, platform, chosen.run_id).delivered == 1
    assert degraded(org)

    everything = select(org.engine, PUSH, mode=PushMode.ALL)
    deliver(org.engine, PUSH, platform, everything.run_id)
    assert not degraded(org)

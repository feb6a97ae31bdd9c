"""On every platform, with transient and permanent failures, two cycles end with the permanent ones and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from include.config.platforms import PLATFORMS
from tests.sandbox.running import free_port
from tools.deliveries.campaign import carry_out, running_platform
from tools.deliveries.grounds import GROUNDS
from tools.deliveries.source import Contacts, this_second


def test_every_platform_has_a_ground() -> None:
    """So that none is forgotten."""
    assert set(GROUNDS) == set(PLATFORMS)


@pytest.mark.parametrize("name", GROUNDS)
def test_exactly_the_permanent_failures_remain(name: str, warehouse: Engine, tmp_path: Path) -> None:
    """What the platform holds equals what the mapping says, record by record; so do the sync errors."""
    contacts = Contacts(engine=warehouse, count=300, began=this_second())
    contacts.lay_out()
    with running_platform(name, tmp_path, free_port()) as held:
        verdict = carry_out(contacts, name, held, transient=0.2, permanent=0.05)
    assert verdict.faults == ()
    assert 3 < verdict.refused < 40
    assert verdict.cycles[1].selected == 300

"""Deliveries that are killed at any step, against each kind of platform; the tool does it two hundred times."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.faults.push import campaign


@pytest.mark.parametrize("promise", ["dedupes", "reads_back"])
def test_where_a_key_is_kept_once_every_change_makes_one_event(warehouse: Engine, promise: str) -> None:
    """No second event, none missing, and nothing is left for a person to decide."""
    tally = campaign(warehouse, promise, kills=8, seed=7)

    assert (tally.doubled, tally.lost, tally.unknown) == (0, 0, 0)
    assert tally.stored == tally.changes


def test_elsewhere_each_lost_answer_is_an_unknown(warehouse: Engine) -> None:
    """Nothing is sent twice by itself, and whatever may be missing stands among the sync errors."""
    tally = campaign(warehouse, "neither", kills=8, seed=7)

    assert (tally.doubled, tally.lost) == (0, 0)
    assert tally.stored + tally.unknown >= tally.changes

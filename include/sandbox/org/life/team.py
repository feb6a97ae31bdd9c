"""A sales team: what it does how often, and the n-th thing that it does."""

from __future__ import annotations

from collections.abc import Callable

from include.sandbox.org.life import deals, people
from include.sandbox.org.life.hand import Hand, hand_for
from include.sandbox.org.life.run import Work
from include.sandbox.org.life.settings import Outcome, Settings
from include.sandbox.org.org import Org

# Of a thousand changes: so many are of this kind.
KINDS: dict[str, tuple[float, Callable[[Hand], Outcome]]] = {
    "edit_contact": (190, people.edit_contact),
    "log_task": (170, deals.log_task),
    "complete_task": (110, deals.complete_task),
    "move_stage": (110, deals.move_stage),
    "work_lead": (100, people.work_lead),
    "edit_account": (70, people.edit_account),
    "create_lead": (60, people.create_lead),
    "edit_deal": (40, deals.edit_deal),
    "create_contact": (35, people.create_contact),
    "create_deal": (30, deals.create_deal),
    "convert_lead": (25, people.convert_lead),
    "delete": (20, deals.throw_away),
    "create_account": (15, people.create_account),
    "merge_duplicates": (10, people.merge_duplicates),
    "restore": (10, deals.fetch_back),
    "mass_update": (5, people.hand_over_leads),
}


def team_of(org: Org) -> Work:
    """Return what makes the n-th change of an org's life."""

    def work(settings: Settings, number: int) -> Outcome:
        hand = hand_for(org, settings, number)
        weights = [settings.weights.get(name, weight) for name, (weight, _) in KINDS.items()]
        kind = hand.dice.choices(tuple(KINDS), weights)[0]
        return KINDS[kind][1](hand)

    return work


def begin_life(org: Org, settings: Settings) -> None:
    """Let the team go to work in the background."""
    org.life.become(settings, anew=True)
    org.life.begin(team_of(org))

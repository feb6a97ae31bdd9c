"""Tell people what changed: write it down first, then send it; what is not taken waits for the next time.

Killed between sending and writing that down, a message is sent once more: better twice than never.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from include.config.notify import ChannelDefinition
from include.config.orgs import OrgDefinition
from include.errors import HeadwaterError
from include.notifications.conditions import Condition
from include.notifications.message import compose
from include.ports import Messenger
from include.warehouse.engine import transaction
from include.warehouse.notifications import (
    known_keys,
    note_sent,
    note_unsent,
    open_keys,
    raise_notification,
    resolve_notification,
    take_waiting,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Count what began, what is over, and the messages that were sent; `problems` are those that were not."""

    began: int
    over: int
    messages: int
    problems: tuple[HeadwaterError, ...] = ()


def tell(
    engine: Engine,
    org: OrgDefinition,
    conditions: Sequence[Condition],
    *,
    messenger: Callable[[ChannelDefinition], Messenger],
    airflow_url: str = "",
    teams: Collection[str] = (),
) -> Told:
    """Write down what changed since people were told last, and send it over the org's channels.

    Args:
        engine: of the warehouse.
        org: whose channels.
        conditions: what is known of everything that was looked at.
        messenger: makes what sends over a channel.
        airflow_url: where people reach Airflow, "" when that is not known.
        teams: addresses that may be told of what is theirs alone; what waits for them is sent too.
    """
    own = {address: org.health.team_channel(address) for address in sorted(teams)}
    began, over = _write_down(engine, org, conditions, own)
    messages, problems = 0, []
    for channel in {each.name: each for each in (*org.notify, *own.values())}.values():
        problem = _send(engine, org, channel, messenger=messenger, airflow_url=airflow_url)
        if isinstance(problem, HeadwaterError):
            problems.append(problem)
        else:
            messages += problem
    return Told(began=began, over=over, messages=messages, problems=tuple(problems))


def _write_down(
    engine: Engine, org: OrgDefinition, conditions: Sequence[Condition], teams: Mapping[str, ChannelDefinition]
) -> tuple[int, int]:
    keys = [each.key for each in conditions]
    with transaction(engine) as connection:
        told, known = open_keys(connection, org.org, keys), known_keys(connection, org.org, keys)
        new = [each for each in conditions if each.holds and each.key not in (known if each.once else told)]
        over = [each for each in conditions if not each.holds and each.key in told]
        for each in new:
            raise_notification(
                connection,
                org.org,
                key=each.key,
                event=each.event.value,
                title=each.title,
                message=each.message,
                path=each.path,
                once=each.once,
                channels=_channels(org, each, teams),
            )
        for each in over:
            resolve_notification(connection, org.org, each.key)
    return len(new), len(over)


def _channels(org: OrgDefinition, condition: Condition, teams: Mapping[str, ChannelDefinition]) -> list[str]:
    if condition.to in teams:
        return [teams[condition.to].name]
    return [channel.name for channel in org.notify if condition.event in channel.events]


def _send(
    engine: Engine,
    org: OrgDefinition,
    channel: ChannelDefinition,
    *,
    messenger: Callable[[ChannelDefinition], Messenger],
    airflow_url: str,
) -> int | HeadwaterError:
    """Send all that the channel has to be told in one message; return how many were sent, or why none was."""
    with transaction(engine) as connection:
        waiting = take_waiting(connection, org.org, channel.name)
        if not waiting:
            return 0
        try:
            messenger(channel).send(compose(org.org, waiting, airflow_url=airflow_url))
        except HeadwaterError as error:
            note_unsent(connection, channel.name, waiting, str(error))
            return error
        note_sent(connection, channel.name, waiting)
    return 1

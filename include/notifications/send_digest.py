"""Send the digest of a period once, over each of its channels.

It is written down and sent in one transaction: killed between the two, it is sent once more. Better twice than never.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine, text

from include.config.notify import ChannelDefinition
from include.config.orgs import OrgDefinition
from include.errors import HeadwaterError
from include.ports import Messenger
from include.records import Message
from include.warehouse.engine import transaction
from include.warehouse.notifications import known_keys, note_sent, note_unsent, raise_notification, take_waiting

EVENT = "health_digest"


def digest_key(high: datetime, again: str = "") -> str:
    """Return the name of a digest: a period has one, and one for each time that it is asked for again."""
    return f"{EVENT}:{high:%Y-%m-%dT%H:%MZ}" + (f":{again}" if again else "")


def send_digest(
    engine: Engine,
    org: OrgDefinition,
    *,
    key: str,
    title: str,
    path: str,
    compose: Callable[[], Message],
    messenger: Callable[[ChannelDefinition], Messenger],
) -> bool:
    """Send a digest where it was not sent yet; return whether it went out now.

    Two tasks that send the same one wait for each other. A channel that fails keeps no other waiting.

    Raises:
        HeadwaterError: it was not taken; that is written down, and the next try sends it.
    """
    channels = org.health.digest_channels
    sent, problems = 0, []
    with transaction(engine) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:key))"), {"key": f"{org.org} {key}"})
        if not known_keys(connection, org.org, [key]):
            raise_notification(
                connection,
                org.org,
                key=key,
                event=EVENT,
                title=title,
                message="",
                path=path,
                once=True,
                channels=list(channels),
            )
        for name, channel in channels.items():
            waiting = [each for each in take_waiting(connection, org.org, name) if each.key == key]
            if not waiting:
                continue
            try:
                messenger(channel).send(compose())
            except HeadwaterError as error:
                note_unsent(connection, name, waiting, str(error))
                problems.append(error)
            else:
                note_sent(connection, name, waiting)
                sent += 1
    if problems:
        raise problems[0]
    return bool(sent)

"""Find a platform's file by the name that definitions write; a platform's file is loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from include.destinations.protocol import Access, Destination, Policy
from include.errors import DefinitionError
from include.ports import Bucket
from include.records import Pace


class Opener(Protocol):
    """Turn a connection into a platform that can be sent to; makes no request."""

    def __call__(self, access: Access, *, bucket: Bucket | None, policy: Policy) -> Destination:
        """Return the platform.

        Raises:
            AuthError: the connection lacks something that the platform wants.
            Unreachable: its address is none.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Hold how a platform is opened, and how it may be sent to.

    Args:
        open: turns a connection into the platform.
        paces: how fast, by lane ("" is that of most calls).
        parallel: how many batches a push sends at once; its `send` is then called by as many threads.
    """

    open: Opener
    paces: Mapping[str, Pace]
    parallel: int = 1


def entry(platform: str) -> Entry:
    """Return how a platform is reached.

    Raises:
        DefinitionError: there is no such platform.
    """
    if platform not in _ENTRIES:
        known = ", ".join(sorted(_ENTRIES))
        raise DefinitionError(f"there is no platform {platform!r}; known are {known}", key="destination.platform")
    return _ENTRIES[platform]()


def platforms() -> tuple[str, ...]:
    """Return the names of the platforms that can be sent to."""
    return tuple(_ENTRIES)


def _insider_one() -> Entry:
    from include.destinations.insider_one.destination import PACES, open_insider_one

    return Entry(open=open_insider_one, paces=PACES, parallel=4)


def _klaviyo() -> Entry:
    from include.destinations.klaviyo.destination import PACES, open_klaviyo

    return Entry(open=open_klaviyo, paces=PACES)


def _hubspot() -> Entry:
    from include.destinations.hubspot.destination import PACES, open_hubspot

    return Entry(open=open_hubspot, paces=PACES, parallel=4)


def _intercom() -> Entry:
    from include.destinations.intercom.destination import PACES, open_intercom

    return Entry(open=open_intercom, paces=PACES, parallel=2)


def _braze() -> Entry:
    from include.destinations.braze.destination import PACES, PARALLEL, open_braze

    return Entry(open=open_braze, paces=PACES, parallel=PARALLEL)


def _webhook() -> Entry:
    from include.destinations.webhook.destination import PACES, PARALLEL, open_webhook

    return Entry(open=open_webhook, paces=PACES, parallel=PARALLEL)


_ENTRIES: Mapping[str, Callable[[], Entry]] = {
    "insider_one": _insider_one,
    "hubspot": _hubspot,
    "intercom": _intercom,
    "klaviyo": _klaviyo,
    "braze": _braze,
    "webhook": _webhook,
}

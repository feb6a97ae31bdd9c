"""What each destination platform can do, as far as a definition can be judged by it before anything is sent.

The files of `include.destinations` speak to the platforms; what is said here of one is checked against them by tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from include.records import ProfileAction


class Match(StrEnum):
    """Say which records a push may touch at the platform."""

    UPSERT = "upsert"  # update who is there, create who is not
    UPDATE_ONLY = "update_only"  # create nobody
    CREATE_ONLY = "create_only"  # touch nobody who is there


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """Say what can be promised at a platform, above all after an answer was lost.

    Args:
        dedupes_events: an event sent twice under one key is stored once, so it may be sent again.
        reads_back: the platform shows at once what it holds, so one can look and then decide.
        skip_hook: the platform can take records without starting journeys.
        partial_failure: one bad record doesn't spoil its batch.
        matches: which match policies can be kept.
        clears_nulls: an attribute whose source is empty now can be emptied.
        changes_identity: a profile follows its record when an identifier changes, instead of a second one being made.
        gone: what can be done to the profile of a record that is gone.
        settles_later: the platform takes records first and tells later what became of them.
    """

    dedupes_events: bool
    reads_back: bool
    skip_hook: bool
    partial_failure: bool = True
    matches: frozenset[Match] = frozenset({Match.UPSERT})
    clears_nulls: bool = False
    changes_identity: bool = False
    gone: frozenset[ProfileAction] = frozenset()
    settles_later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Hold what is known of a platform before it is met.

    Args:
        name: as definitions write it; also the type of its Airflow connection.
        title: as people write it.
        capabilities: what can be promised.
        max_batch: the most records in a request.
        default_match: whom a push touches that says nothing about it.
    """

    name: str
    title: str
    capabilities: Capabilities
    max_batch: int
    default_match: Match = Match.UPSERT


_ALL_MATCHES = frozenset(Match)
_PLATFORMS = (
    Platform(
        name="insider_one",
        title="Insider One",
        max_batch=1000,
        # The profile call shows what is stored, but only after a while: not finding an event proves nothing.
        capabilities=Capabilities(
            dedupes_events=False,
            reads_back=False,
            skip_hook=True,
            clears_nulls=True,
            changes_identity=True,
            gone=frozenset({ProfileAction.CLEAR, ProfileAction.DELETE}),
        ),
    ),
    Platform(
        name="intercom",
        title="Intercom",
        max_batch=100,  # ours: its contacts are written one by one, and between two batches a push can be stopped
        default_match=Match.UPDATE_ONLY,  # its own connector creates nobody
        capabilities=Capabilities(
            dedupes_events=True,
            reads_back=True,
            skip_hook=False,
            matches=_ALL_MATCHES,
            clears_nulls=True,
            changes_identity=True,
            gone=frozenset({ProfileAction.CLEAR, ProfileAction.ARCHIVE, ProfileAction.DELETE}),
        ),
    ),
    Platform(
        name="klaviyo",
        title="Klaviyo",
        max_batch=10_000,
        capabilities=Capabilities(
            dedupes_events=True,
            reads_back=False,
            skip_hook=True,
            clears_nulls=True,
            gone=frozenset({ProfileAction.CLEAR, ProfileAction.DELETE}),
            settles_later=True,
        ),
    ),
    Platform(
        name="hubspot",
        title="HubSpot",
        max_batch=100,
        capabilities=Capabilities(
            dedupes_events=True,
            reads_back=True,
            skip_hook=False,
            matches=_ALL_MATCHES,
            clears_nulls=True,
            changes_identity=True,
            gone=frozenset({ProfileAction.CLEAR, ProfileAction.ARCHIVE}),
        ),
    ),
    Platform(
        name="braze",
        title="Braze",
        max_batch=75,
        capabilities=Capabilities(
            dedupes_events=False,
            reads_back=False,
            skip_hook=False,
            matches=frozenset({Match.UPSERT, Match.UPDATE_ONLY}),
            clears_nulls=True,
            gone=frozenset({ProfileAction.CLEAR, ProfileAction.DELETE}),
        ),
    ),
    Platform(
        name="webhook",
        title="a signed webhook",
        max_batch=1000,
        capabilities=Capabilities(
            dedupes_events=True,  # by `webhook-id`, which is the same at every attempt
            reads_back=False,
            skip_hook=False,
            partial_failure=False,
            clears_nulls=True,
            gone=frozenset({ProfileAction.CLEAR, ProfileAction.ARCHIVE, ProfileAction.DELETE}),
        ),
    ),
)
PLATFORMS: Mapping[str, Platform] = MappingProxyType({each.name: each for each in _PLATFORMS})

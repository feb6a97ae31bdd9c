"""Keep whoever is still there: a gone record's profile is left alone once another record is that person. Pure.

A survivor of a merge takes over the loser's address in the very run in which the loser is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from include.activation.prepare import Candidate, Row, flat_identifiers, identity_in_use
from include.records import Profile, ProfileAction, Receipt

Found = Candidate | Receipt | None


@dataclass(slots=True, kw_only=True)
class Survivors:
    """Know the identities of the records that are gone, and which of them another record has by now.

    Those who are gone come last in a selection, so that everybody else has been seen before them.

    Args:
        identities: of those who are gone; True: another record has it.
    """

    identities: dict[tuple[str, str], bool] = field(default_factory=dict)

    def judged(self, row: Row, found: Found) -> Found:
        """Return what becomes of a row, less what would be done to somebody who is still there."""
        if not self.identities or not isinstance(found, Candidate):
            return found
        known = [each for each in _identities(found.profile) if each in self.identities]
        if found.profile.action is ProfileAction.UPSERT:
            self.identities |= dict.fromkeys(known, True)
            return found
        return identity_in_use(row) if any(self.identities[each] for each in known) else found


def _identities(profile: Profile) -> set[tuple[str, str]]:
    """Return by what a profile is known, as the ledger of those who are gone has it."""
    found = {(kind, value.lower()) for kind, value in flat_identifiers(profile).items()}
    return found | ({("platform_id", profile.platform_id)} if profile.platform_id else set())

"""Say in a few lines what a check of the definitions found; pure."""

from __future__ import annotations

from collections.abc import Sequence

from include.config.loader import Definitions
from include.errors import HeadwaterError


def summarise(definitions: Definitions, errors: Sequence[HeadwaterError], notes: Sequence[str]) -> list[str]:
    """Return one line an error, one a note, and a last one with the counts.

    A note says what could not be checked. With notes alone nothing is called good that nobody has looked at.
    """
    lines = [*(f"  - {each}" for each in errors), *(f"  ({each})" for each in notes)]
    counts = f"{len(definitions.orgs)} orgs, {len(definitions.pushes)} pushes, {len(definitions.checks)} checks"
    if errors:
        lines.append(f"{len(errors)} {'error' if len(errors) == 1 else 'errors'}; readable: {counts}")
    elif notes:
        lines.append(f"nothing wrong in the files ({counts}); what the notes name was not checked")
    else:
        lines.append(f"all good: {counts}")
    return lines

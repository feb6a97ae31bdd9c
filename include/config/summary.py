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
    counts = ", ".join(
        _counted(len(each), noun, nouns)
        for each, noun, nouns in (
            (definitions.orgs, "org", "orgs"),
            (definitions.pushes, "push", "pushes"),
            (definitions.checks, "check", "checks"),
        )
    )
    if errors:
        lines.append(f"{_counted(len(errors), 'error', 'errors')}; readable: {counts}")
    elif notes:
        lines.append(f"nothing wrong in the files ({counts}); what the notes name was not checked")
    else:
        lines.append(f"all good: {counts}")
    return lines


def _counted(count: int, noun: str, nouns: str) -> str:
    return f"{count} {noun if count == 1 else nouns}"

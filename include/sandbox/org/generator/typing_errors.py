"""Typing errors: three ways to miss each name."""

from __future__ import annotations

VARIANTS = 3


def missed(name: str) -> tuple[str, str, str]:
    """Return a name with a letter left out, one doubled, and two changed over; never the name itself."""
    if len(name) < 4:
        return (name + name[-1].lower(),) * 3
    at = len(name) // 2
    while name[at].lower() == name[at - 1].lower() and at < len(name) - 1:
        at += 1
    left_out = name[:at] + name[at + 1 :]
    doubled = name[: at + 1] + name[at:]
    changed_over = name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]
    if changed_over == name or at == 1:
        changed_over = doubled
    return left_out, doubled, changed_over

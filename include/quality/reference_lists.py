"""Read the lists that predicates compare with: countries, states, kinds of mailboxes. Files of this package only."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def reference_list(name: str) -> tuple[str, ...]:
    """Return the entries of a list by the name that predicates give it, all in lower case."""
    text = (resources.files("include.quality.lists") / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))

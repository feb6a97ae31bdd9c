"""Read which first names are forms of one name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources


@cache
def name_forms() -> tuple[tuple[str, ...], ...]:
    """Return groups of names, the long one first; a name may stand in several groups."""
    text = (resources.files("include.quality.lists") / "first_names.txt").read_text(encoding="utf-8")
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(tuple(name.strip() for name in line.split(",")) for line in lines if line)


def name_pairs() -> Iterator[tuple[str, str, bool]]:
    """Yield every two names of a line, in both orders, and whether one of them is the long name."""
    for group in name_forms():
        for place, name in enumerate(group):
            for other_place, other in enumerate(group):
                if name != other:
                    yield name, other, 0 in (place, other_place)

"""Decide whether so many records vanished at once that a person must look; pure."""

from __future__ import annotations

# Of an object with a handful of records one is a large share: so few are never taken for an accident.
FEW = 10


def too_many(vanished: int, *, of: int, max_share: float) -> bool:
    """Return whether `vanished` of so many records, present here until now, are more than a share allows.

    More than half of them are always too many.
    """
    return vanished > max_share * of and (vanished > FEW or 2 * vanished > of)

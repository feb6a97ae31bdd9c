"""Say what a SQLSTATE means, in words that hold no value of the row: the driver's own text quotes it."""

from __future__ import annotations

import re

from psycopg import errors


def words_of(sqlstate: str | None) -> str:
    """Return the state with its name in words, e.g. ``22P02 invalid text representation``."""
    if sqlstate is None:
        return "connection lost"
    try:
        name = errors.lookup(sqlstate).__name__
    except KeyError:
        return sqlstate
    return f"{sqlstate} {re.sub(r'(?<!^)(?=[A-Z])', ' ', name).lower()}"

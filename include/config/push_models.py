"""Read the models of pushes: one SELECT over the warehouse in a file of its own; pure.

What a model says is checked by the server when the warehouse can be reached; here is only what needs no server.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PIECE = re.compile(
    r"""(?P<skip>--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |"(?P<quoted>(?:[^"]|"")+)"
    |(?P<word>[A-Za-z_]\w*)
    |(?P<other>;)""",
    re.VERBOSE | re.DOTALL,
)


def read_model(text: str) -> str:
    """Return the SELECT of a model's file, without the semicolon behind it.

    Raises:
        ValueError: it holds something else, or more than one statement.
    """
    pieces = [found for found in _PIECE.finditer(text) if found["skip"] is None]
    words = [found["word"] for found in pieces if found["word"]]
    if not words or words[0].lower() not in ("select", "with"):
        raise ValueError("a model is one SELECT over the warehouse; begin with SELECT or WITH")
    ends = [found for found in pieces if found["other"]]
    if ends and any(found.start() > ends[0].start() for found in pieces if found is not ends[0]):
        raise ValueError("a model is one statement; take out what stands behind the semicolon")
    return (text[: ends[0].start()] if ends else text).strip()


def objects_named(sql: str, objects: Iterable[str]) -> tuple[str, ...]:
    """Return those of the objects and queries that the SELECT names: in quotes as they are spelt, else in any case."""
    found = [piece for piece in _PIECE.finditer(sql) if piece["skip"] is None]
    quoted = {piece["quoted"] for piece in found if piece["quoted"]}
    # Without quotes PostgreSQL reads lower case, so only a query's table can be meant.
    plain = {piece["word"].lower() for piece in found if piece["word"]}
    return tuple(name for name in objects if name in quoted or name in plain)

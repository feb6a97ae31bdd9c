"""Write a record's Id as the warehouse holds it, whatever form a person has it in; pure.

The last three of its 18 characters say which of the first 15 are capitals, so both forms lead to the other.
"""

from __future__ import annotations

import re

_CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-5]{3})?")
_SHORT = 15


def whole_id(given: str) -> str | None:
    """Return the 18-character Id of what a person typed or pasted, or None: it is no Id.

    The 15-character form is case-sensitive. Of the long form the capitals are restored, where a program lost them.

    >>> whole_id("003D000000QV9nl")
    '003D000000QV9nlIAD'
    """
    if not _ID.fullmatch(given):
        return None
    if len(given) == _SHORT:
        return given + _checksum(given)
    body = _with_capitals(given[:_SHORT], given[_SHORT:].upper())
    return None if body is None else body + given[_SHORT:].upper()


def _checksum(body: str) -> str:
    groups = (body[start : start + 5] for start in (0, 5, 10))
    return "".join(_CHECKSUM[sum(1 << place for place, each in enumerate(group) if each.isupper())] for group in groups)


def _with_capitals(body: str, checksum: str) -> str | None:
    """Return the first 15 characters with their capitals where the checksum says so; None when it can't be."""
    capitals = [bool(_CHECKSUM.index(mark) >> place & 1) for mark in checksum for place in range(5)]
    if any(wanted and not letter.isalpha() for letter, wanted in zip(body, capitals, strict=True)):
        return None
    return "".join(letter.upper() if wanted else letter.lower() for letter, wanted in zip(body, capitals, strict=True))

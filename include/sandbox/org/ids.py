"""Salesforce Ids: base62 numbers behind a key prefix, with the checksum that makes 15 characters 18.

The digits stand in ASCII order, so that the order of Ids is the order of their numbers.
"""

from __future__ import annotations

import re

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKSUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
POD = "5g00002"  # characters 4 to 10: the instance, and high digits that never change here
NUMBERS = len(DIGITS) ** 5  # how many Ids one prefix has

_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")


def checksum(id15: str) -> str:
    """Return the three characters that make a 15-character Id safe in systems that ignore case."""
    groups = (id15[start : start + 5] for start in (0, 5, 10))
    return "".join(CHECKSUM[sum(1 << bit for bit, char in enumerate(group) if "A" <= char <= "Z")] for group in groups)


def make_id(prefix: str, number: int) -> str:
    """Return the 18-character Id of this number behind this key prefix."""
    digits = ""
    for _ in range(5):
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    id15 = prefix + POD + digits
    return id15 + checksum(id15)


def canonical(value: str) -> str | None:
    """Return the 18-character form of a well-formed Id, or None if it isn't one."""
    if not _SHAPE.fullmatch(value):
        return None
    right = value[:15] + checksum(value[:15])
    return right if value in (right, value[:15]) else None


def number_of(value: str) -> int | None:
    """Return the number inside an Id of this org, or None if no record of this org can have that Id."""
    right = canonical(value)
    if right is None or right[3:10] != POD:
        return None
    number = 0
    for char in right[10:15]:
        number = number * len(DIGITS) + DIGITS.index(char)
    return number


def id_sql(prefix: str, number: str) -> str:
    """Return the SQL expression that makes an Id out of a number expression."""
    size = len(DIGITS)
    head = prefix + POD
    places = [f"(({number}) // {size**power}) % {size}" for power in (4, 3, 2, 1, 0)]
    digits = " || ".join(f"substr('{DIGITS}', ({place})::INTEGER + 1, 1)" for place in places)
    # Digits 10 to 35 are the capitals: each sets its bit in the third checksum character.
    bits = " + ".join(
        f"(CASE WHEN {place} BETWEEN 10 AND 35 THEN {1 << bit} ELSE 0 END)" for bit, place in enumerate(places)
    )
    fixed = checksum(head + "00000")[:2]
    return f"'{head}' || {digits} || '{fixed}' || substr('{CHECKSUM}', {bits} + 1, 1)"

"""Pieces that several objects are made of: stamps, phones, mails, names."""

from __future__ import annotations

from include.sandbox.org.generator import vocabulary as words
from include.sandbox.org.generator.dice import Dice, chosen, literal
from include.sandbox.org.ids import id_sql, make_id

USERS = 25
INACTIVE_USERS = 3  # the last ones
_DAYS = 730
_BULK_LOADS = 8
QUEUES = {"Lead": (1, 2), "Case": (3, 4), "Task": (4,)}  # whose records which queues own
WIDE_TEXT = "left(repeat('A very long story, told in full – 長い話. ', 1000), 32000)"


def user_id(number: int) -> str:
    """Return the Id of a user by number, from 1."""
    return make_id("005", number)


def active_user(dice: Dice, salt: int) -> str:
    """Return an active user's Id."""
    return dice.pick([user_id(each) for each in range(1, USERS - INACTIVE_USERS + 1)], salt)


def inactive_user(dice: Dice, salt: int) -> str:
    """Return an inactive user's Id."""
    return dice.pick([user_id(each) for each in range(USERS - INACTIVE_USERS + 1, USERS + 1)], salt)


def owner(dice: Dice, inactive: str, queue: str = "", percent: int = 6) -> str:
    """Return the owner: inactive only where the defect says so, a queue for a few if the object has queues."""
    queued = f" WHEN {dice.chance(903, percent)} THEN {queue_of(dice, queue)}" if queue else ""
    return f"CASE WHEN {inactive} THEN {inactive_user(dice, 901)}{queued} ELSE {active_user(dice, 902)} END"


def queue_of(dice: Dice, name: str) -> str:
    """Return the Id of one of the queues of an object."""
    return dice.pick([make_id("00G", each) for each in QUEUES[name]], 904)


def stamp(dice: Dice, base: int) -> str:
    """Return SystemModstamp: spread over two years before the base, a few seconds of it shared by whole bulk loads."""
    spread = f"{base} - 60 - {dice.roll(910, _DAYS * 86_400)}"
    load = f"{base} - 10000 - {dice.roll(911, _BULK_LOADS)} * {_DAYS * 86_400 // (_BULK_LOADS + 1)}"
    return f"CASE WHEN {dice.chance(912, 6)} THEN {load} ELSE {spread} END"


def audit_columns(dice: Dice) -> dict[str, str]:
    """Return the audit fields of a row whose stamp is `stamp`.

    A tenth was moved by the system, not by a person; a few came from an older system and kept the dates of that time.
    """
    migrated = dice.chance(925, 3)
    modified = (
        f"stamp - CASE WHEN {dice.chance(920, 10)} THEN {dice.roll(921, 86_400)}"
        f" WHEN {migrated} THEN {1000 * 86_400} + {dice.roll(921, 86_400)} ELSE 0 END"
    )
    age = f"CASE WHEN {migrated} THEN {1500 * 86_400} ELSE 0 END + 86400 + {dice.roll(922, 500 * 86_400)}"
    return {
        "CreatedDate": f"make_timestamp((stamp - ({age}))::BIGINT * 1000000)",
        "CreatedById": active_user(dice, 923),
        "LastModifiedDate": f"make_timestamp(({modified})::BIGINT * 1000000)",
        "LastModifiedById": active_user(dice, 924),
        "SystemModstamp": "make_timestamp(stamp::BIGINT * 1000000)",
    }


def digits(dice: Dice, salt: int, subject: str = "n") -> str:
    """Return the eight digits of a telephone number, best kept in a stage: each number is written out many ways."""
    return f"lpad({dice.roll(salt, 100_000_000, subject)}::VARCHAR, 8, '0')"


def phone(digits: str, *, at_home: bool = False) -> str:
    """Return a mobile number of the row's `country`, in international form or as it is written at home."""
    branches = []
    for place, (_, _, templates) in enumerate(words.COUNTRIES):
        template = templates.split("|")[1 if at_home else 0]
        branches.append(f"WHEN {place} THEN {_filled(template, digits)}")
    return f"CASE country {' '.join(branches)} END"


def _filled(template: str, digits: str) -> str:
    """Return a concatenation in which each run of `#` takes the next digits."""
    pieces, at, position = [], 0, 1
    while at < len(template):
        end = at
        marked = template[at] == "#"
        while end < len(template) and (template[end] == "#") == marked:
            end += 1
        size = end - at
        pieces.append(f"substr({digits}, {position}, {size})" if marked else literal(template[at:end]))
        position += size if marked else 0
        at = end
    return " || ".join(pieces)


def company_name(number: str, dice: Dice) -> str:
    """Return the name of the account with this number; no two are alike."""
    first = dice.pick(words.COMPANY_FIRST, 1, number)
    second = dice.pick(words.COMPANY_SECOND, 2, number)
    return f"{first} || ' ' || {second} || ' ' || ({number}) || ' ' || {dice.pick(words.LEGAL_FORMS, 3, number)}"


def short_company_name(number: str, dice: Dice) -> str:
    """Return the name that people call this account by; several are called alike."""
    return f"{dice.pick(words.COMPANY_FIRST, 1, number)} || ' ' || {dice.pick(words.COMPANY_SECOND, 2, number)}"


def city(dice: Dice, salt: int, country: str, subject: str = "n") -> str:
    """Return one of the country's cities."""
    cities = [each for _, three, _ in words.COUNTRIES for each in three]
    return chosen(cities, f"({country} * 3 + {dice.roll(salt, 3, subject)})")


def country_name(country: str) -> str:
    """Return the country's name."""
    return chosen([name for name, _, _ in words.COUNTRIES], country)


def place_columns(prefix: str, dice: Dice, salt: int, subject: str = "n") -> dict[str, str]:
    """Return the parts of an address; a few have the whole address in the street."""
    number = f"(1 + {dice.roll(salt, 180, subject)})::VARCHAR"
    street = f"{dice.pick(words.STREETS, salt + 1, subject)} || ' ' || {number}"
    town = city(dice, salt + 2, "country", subject)
    crammed = f"{street} || chr(10) || {town}"
    return {
        f"{prefix}Street": f"CASE WHEN {dice.chance(salt + 3, 3, subject)} THEN {crammed} ELSE {street} END",
        f"{prefix}City": town,
        f"{prefix}PostalCode": f"lpad({dice.roll(salt + 4, 99_999, subject)}::VARCHAR, 5, '0')",
        f"{prefix}Country": country_name("country"),
    }


def maybe(dice: Dice, salt: int, percent: float, value: str) -> str:
    """Return a value for this share of the rows, null for the others."""
    return f"CASE WHEN {dice.chance(salt, percent)} THEN {value} END"


def earlier(dice: Dice) -> str:
    """Return a time before the row's stamp."""
    return f"make_timestamp((stamp - {dice.roll(58, 9_000_000)})::BIGINT * 1000000)"


def at_stamp() -> str:
    """Return the time of the row's stamp."""
    return "make_timestamp(stamp::BIGINT * 1000000)"


def record_type(dice: Dice, salt: int, *numbers: int) -> str:
    """Return the Id of one of these record types."""
    return dice.pick([make_id("012", each) for each in numbers], salt)


def own_id(prefix: str) -> str:
    """Return the Id of the row itself."""
    return id_sql(prefix, "n")

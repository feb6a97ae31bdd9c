"""Names, mail addresses and telephone numbers of people as SQL; `first` and `last` are places in the vocabulary."""

from __future__ import annotations

from include.sandbox.org.generator import vocabulary as words
from include.sandbox.org.generator.dice import Dice, chosen
from include.sandbox.org.generator.typing_errors import VARIANTS, missed

FIRSTS = len(words.FIRST_NAMES)
LASTS = len(words.LAST_NAMES)
# The stage that spells a person's name out, once for all columns that use it.
SPELT = {
    "first_name": chosen([each[0] for each in words.FIRST_NAMES], "first"),
    "last_name": chosen([each[0] for each in words.LAST_NAMES], "last"),
    "first_mail": chosen([each[1] for each in words.FIRST_NAMES], "first"),
    "last_mail": chosen([each[1] for each in words.LAST_NAMES], "last"),
}
NICKNAME = chosen([words.NICKNAMES.get(each, (each, ""))[0] for each, _ in words.FIRST_NAMES], "first")
NICKNAME_MAIL = chosen([words.NICKNAMES.get(each, ("", mail))[1] for each, mail in words.FIRST_NAMES], "first")
NICKNAMED = [place for place, (each, _) in enumerate(words.FIRST_NAMES) if each in words.NICKNAMES]


def first_number(dice: Dice, subject: str) -> str:
    """Return the place of somebody's first name in the vocabulary."""
    return dice.roll(2, FIRSTS, subject)


def last_number(dice: Dice, subject: str) -> str:
    """Return the place of somebody's last name in the vocabulary."""
    return dice.roll(3, LASTS, subject)


def mistyped(names: tuple[tuple[str, str], ...], place: str, dice: Dice, salt: int) -> str:
    """Return a name with a typing error."""
    variants = [variant for each, _ in names for variant in missed(each)]
    return chosen(variants, f"({place} * {VARIANTS} + {dice.roll(salt, VARIANTS)})")


def test_first_name(dice: Dice) -> str:
    """Return the first name of a test record."""
    return dice.pick(("Test", "asdf", "foo"), 10)


def test_last_name(dice: Dice) -> str:
    """Return the last name of a test record."""
    return dice.pick(("test", "asdf", "Test User"), 11)


def respelt_mail(mail: str, dice: Dice, salt: int) -> str:
    """Return an address in another spelling of case."""
    at = f"strpos({mail}, '@')"
    return (
        f"CASE {dice.roll(salt, 3)} WHEN 0 THEN upper({mail})"
        f" WHEN 1 THEN upper(substr({mail}, 1, 1)) || substr({mail}, 2)"
        f" ELSE upper(left({mail}, {at} - 1)) || substr({mail}, {at}) END"
    )


def reformatted_phone(phone: str, dice: Dice, salt: int) -> str:
    """Return an international number in another format."""
    digits = f"regexp_replace({phone}, '[^0-9]', '', 'g')"
    return (
        f"CASE {dice.roll(salt, 3)} WHEN 0 THEN '+' || {digits}"
        f" WHEN 1 THEN '+' || left({digits}, 2) || '.' || substr({digits}, 3)"
        f" ELSE '+' || left({digits}, 2) || ' ' || substr({digits}, 3, 2) || '-' || substr({digits}, 5) END"
    )

"""Contacts: mostly one person each; some a person that the record before holds already, some only looking like it."""

from __future__ import annotations

from collections.abc import Mapping

from include.sandbox.org.generator import names, parts
from include.sandbox.org.generator import vocabulary as words
from include.sandbox.org.generator.defects import CONTACT_TWINS, LOOKALIKES, NOT_DUPLICATES, Marks, has_sql
from include.sandbox.org.generator.dice import Dice
from include.sandbox.org.generator.recipe import Recipe, Sizes
from include.sandbox.org.ids import id_sql
from include.sandbox.org.schema.standard import INTERESTS, LEAD_SOURCES, SALUTATIONS

_NO_PHONE = 8  # percent
_MOBILE = 60
_BORN = 40
_BEFORE = "(n - 1)"


def contact_recipe(seed: int, sizes: Sizes) -> Recipe:
    """Return how contacts are made."""
    dice = contact_dice(seed)
    marks = Marks(object="Contact", dice=dice)
    before = _BEFORE
    needs = {
        "contact_duplicate_phone": f"NOT {dice.chance(32, _NO_PHONE, before)}",
        "contact_duplicate_nickname": f"{names.first_number(dice, before)} IN ({', '.join(map(str, names.NICKNAMED))})",
        "contact_duplicate_moved": dice.chance(34, _MOBILE, before),
        "not_duplicate_household": f"NOT {dice.chance(32, _NO_PHONE, before)}",
        "not_duplicate_switchboard": f"NOT {dice.chance(32, _NO_PHONE, before)}",
        "not_duplicate_same_name": dice.chance(44, _BORN, before),
        "not_duplicate_generations": dice.chance(44, _BORN, before),
    }
    paired = has_sql(*_kinds(*CONTACT_TWINS), *(each.name for each in NOT_DUPLICATES))
    return Recipe(
        object="Contact",
        dice=dice,
        mark=marks.mark(f"n > 1 AND {marks.clean(before)}", needs),
        twin=f"CASE WHEN {paired} THEN {id_sql('003', before)} END",
        stages=(_subjects(dice, marks), _facts(dice, sizes), names.SPELT, _reach(dice)),
        columns=_columns(dice),
    )


def contact_dice(seed: int) -> Dice:
    """Return the dice of contacts."""
    return Dice(seed=seed, kind=2)


def mail_domain(dice: Dice, subject: str, account: str) -> str:
    """Return the domain of a contact's address: every third person has their company's."""
    pick = dice.pick(words.MAIL_DOMAINS, 16, subject)
    return f"CASE WHEN {subject} % 3 = 0 THEN 'company' || {account} || '.example' ELSE {pick} END"


def _kinds(*kinds: str) -> list[str]:
    return [f"contact_duplicate_{each}" if each in CONTACT_TWINS else f"not_duplicate_{each}" for each in kinds]


def _shared(*kinds: str) -> str:
    """Return whose trait the row has: in these kinds of pairs that of the record before, else its own."""
    return f"CASE WHEN {has_sql(*_kinds(*kinds))} THEN {_BEFORE} ELSE n END"


def _subjects(dice: Dice, marks: Marks) -> Mapping[str, str]:
    """Return, for each trait, the number of the record that it is drawn for; and who gets into a shared mailbox."""
    settled = [each for each in CONTACT_TWINS if each != "moved"]
    return {
        "s": _shared(*CONTACT_TWINS),
        "of_first": _shared(*CONTACT_TWINS, "same_name", "generations"),
        "of_last": _shared(*CONTACT_TWINS, "same_name", "generations", "household"),
        "of_account": _shared(*settled, "same_name", "role_mailbox", "switchboard"),
        "of_place": _shared(*settled, "household", "generations"),
        "of_country": _shared(*CONTACT_TWINS, *(each for each in LOOKALIKES if each != "same_name")),
        "of_phone": (
            f"CASE WHEN {has_sql('contact_duplicate_typo')} AND n % 2 = 1 THEN n"
            f" ELSE {_shared(*settled, 'household', 'switchboard', 'generations')} END"
        ),
        "of_mail": _shared("email"),
        "of_mailbox": (
            f"CASE WHEN {has_sql('not_duplicate_role_mailbox')} THEN {_BEFORE}"
            f" WHEN {marks.clean('n')} AND {marks.drew('not_duplicate_role_mailbox', '(n + 1)')} THEN n END"
        ),
    }


def _facts(dice: Dice, sizes: Sizes) -> Mapping[str, str]:
    accounts = sizes.counts["Account"]
    relative = f"({names.first_number(dice, _BEFORE)} + 5 + {dice.roll(110, names.FIRSTS - 10)}) % {names.FIRSTS}"
    stranger = f"({names.last_number(dice, _BEFORE)} + 1 + {dice.roll(111, names.LASTS - 1)}) % {names.LASTS}"
    elsewhere = f"1 + ({dice.roll(5, accounts, _BEFORE)} + 1 + {dice.roll(112, max(1, accounts - 1))}) % {accounts}"
    return {
        "first": (
            f"CASE WHEN {has_sql('not_duplicate_household')} THEN {relative}"
            f" ELSE {names.first_number(dice, 'of_first')} END"
        ),
        "last": (
            f"CASE WHEN {has_sql('not_duplicate_switchboard', 'not_duplicate_role_mailbox')} THEN {stranger}"
            f" ELSE {names.last_number(dice, 'of_last')} END"
        ),
        "account": (
            f"CASE WHEN {has_sql('contact_duplicate_moved')} THEN {elsewhere}"
            f" ELSE {sizes.number('Account', dice, 5, 'of_account')} END"
        ),
        "country": dice.roll(4, len(words.COUNTRIES), "of_country"),
        "digits": parts.digits(dice, 31, "of_phone"),
        "mobile_digits": parts.digits(dice, 35, "s"),
        "test": has_sql("contact_test_record"),
        "email": has_sql("contact_duplicate_email"),
        "swapped": has_sql("contact_duplicate_swapped"),
        "nickname": has_sql("contact_duplicate_nickname"),
        "mistyped": f"CASE WHEN {has_sql('contact_duplicate_typo')} THEN 1 + {dice.roll(113, 2)} ELSE 0 END",
    }


def _reach(dice: Dice) -> Mapping[str, str]:
    return {"phone": parts.phone("digits"), "mail": _mail(dice)}


def _mail(dice: Dice) -> str:
    local = (
        f"CASE WHEN swapped THEN last_mail || '.' || first_mail"
        f" WHEN nickname THEN {names.NICKNAME_MAIL} || '.' || last_mail"
        f" ELSE first_mail || '.' || last_mail END"
    )
    company = "'company' || account || '.example'"
    mailbox = dice.pick(words.ROLE_MAILBOXES, 114, "of_mailbox")
    return (
        f"CASE WHEN of_mailbox IS NOT NULL THEN {mailbox} || '@' || {company}"
        f" WHEN {has_sql('contact_duplicate_moved')} THEN {local} || n || '@' || {company}"
        f" ELSE {local} || of_mail || '@' || {mail_domain(dice, 'of_mail', 'account')} END"
    )


def _name_columns(dice: Dice) -> Mapping[str, str]:
    capitals = has_sql("contact_name_in_capitals")
    mistyped_first = names.mistyped(words.FIRST_NAMES, "first", dice, 115)
    mistyped_last = names.mistyped(words.LAST_NAMES, "last", dice, 115)
    return {
        "FirstName": (
            f"CASE WHEN test THEN {names.test_first_name(dice)} WHEN {capitals} THEN upper(first_name)"
            f" WHEN email THEN lower(first_name) WHEN swapped THEN last_name WHEN nickname THEN {names.NICKNAME}"
            f" WHEN mistyped = 1 THEN {mistyped_first} ELSE first_name END"
        ),
        "LastName": (
            f"CASE WHEN test THEN {names.test_last_name(dice)} WHEN {capitals} THEN upper(last_name)"
            f" WHEN email THEN last_name || ' ' WHEN swapped THEN first_name"
            f" WHEN mistyped = 2 THEN {mistyped_last} ELSE last_name END"
        ),
        "Salutation": dice.pick((*SALUTATIONS, None, None), 12, "s"),
    }


def _reach_columns(dice: Dice) -> Mapping[str, str]:
    """Return how the person is reached; duplicates that are found by one trait must not give themselves away by two."""
    no_mobile = has_sql(*_kinds("phone", "typo", "nickname", "swapped"))
    return {
        "Phone": (
            f"CASE WHEN {has_sql('contact_invalid_phone')} THEN {dice.pick(words.BROKEN_PHONES, 30)}"
            f" WHEN {has_sql('contact_phone_without_country')}"
            f" THEN {parts.phone('digits', at_home=True)}"
            f" WHEN {has_sql('contact_duplicate_phone')} THEN {names.reformatted_phone('phone', dice, 116)}"
            f" WHEN {dice.chance(32, _NO_PHONE, 'of_phone')} THEN NULL ELSE phone END"
        ),
        "MobilePhone": (
            f"CASE WHEN {no_mobile} THEN NULL"
            f" WHEN {dice.chance(34, _MOBILE, 's')} THEN {parts.phone('mobile_digits')} END"
        ),
        "Email": (
            f"CASE WHEN {has_sql('contact_missing_email')} THEN NULL"
            f" WHEN {has_sql('contact_invalid_email')} THEN {dice.pick(words.BROKEN_MAILS, 15)}"
            f" WHEN test THEN 'test' || n || '@example.com'"
            f" WHEN email THEN {names.respelt_mail('mail', dice, 117)} ELSE mail END"
        ),
    }


def _birthdate(dice: Dice) -> str:
    born = f"today - 7000 - {dice.roll(45, 20_000, 's')}"
    parent = f"today - 7000 - {dice.roll(45, 20_000, _BEFORE)} - 9000 - {dice.roll(118, 2_000)}"
    other_day = f"({dice.roll(45, 20_000, _BEFORE)} + 1 + {dice.roll(119, 19_999)}) % 20000"
    return (
        f"CASE WHEN {has_sql('contact_future_birthdate')} THEN today + 30 + {dice.roll(43, 3000)}"
        f" WHEN {has_sql('not_duplicate_generations')} THEN {parent}"
        f" WHEN {has_sql('not_duplicate_same_name')} THEN today - 7000 - {other_day}"
        f" WHEN {dice.chance(44, _BORN, 's')} THEN {born} END"
    )


def _columns(dice: Dice) -> Mapping[str, str]:
    """Return an expression for each filled column."""
    return {
        "AccountId": f"CASE WHEN {has_sql('contact_orphan')} THEN NULL ELSE {id_sql('001', 'account')} END",
        **_name_columns(dice),
        **parts.place_columns("Mailing", dice, 20, "of_place"),
        **_reach_columns(dice),
        "ReportsToId": parts.maybe(dice, 36, 10, f"CASE WHEN n > 10 THEN {id_sql('003', '(n // 10)')} END"),
        "Title": dice.pick(words.TITLES, 40),
        "Department": dice.pick(words.DEPARTMENTS, 41),
        "LeadSource": dice.pick((*LEAD_SOURCES, None), 42),
        "Birthdate": _birthdate(dice),
        "Description": f"CASE WHEN n % 4999 = 7 THEN {parts.WIDE_TEXT} WHEN {dice.chance(46, 25)}"
                       f" THEN {dice.pick(words.NOTES, 47)} END",
        "OwnerId": parts.owner(dice, has_sql("contact_inactive_owner")),
        "HasOptedOutOfEmail": dice.chance(48, 6),
        "DoNotCall": dice.chance(49, 4),
        "CleanStatus": "'Pending'",
        "External_Key__c": "'C-' || lpad(n::VARCHAR, 9, '0')",
        "Newsletter__c": dice.chance(50, 55),
        "Score__c": f"CASE WHEN {dice.chance(51, 80)} THEN {dice.roll(52, 1000)} / 10.0 END",
        "Lifetime_Value__c": f"CASE WHEN {dice.chance(53, 50)} THEN {dice.roll(54, 50_000_000)} / 100.0 END",
        "Tier__c": dice.pick(("Gold", "Silver", "Bronze", None), 55),
        "Interests__c": _interests(dice),
        "First_Contact__c": f"today - 800 - {dice.roll(56, 1500)}",
        "Last_Survey__c": parts.maybe(dice, 57, 30, parts.earlier(dice)),
        "Notes__c": parts.maybe(dice, 59, 10, dice.pick(words.NOTES, 70)),
    }  # fmt: skip


def _interests(dice: Dice) -> str:
    listed = ", ".join(
        f"CASE WHEN {dice.chance(60 + place, 35)} THEN '{each}' END" for place, each in enumerate(INTERESTS)
    )
    return f"nullif(concat_ws(';', {listed}), '')"

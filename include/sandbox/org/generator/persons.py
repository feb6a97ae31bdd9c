"""Contacts and leads."""

from __future__ import annotations

from include.sandbox.org.generator import parts
from include.sandbox.org.generator import vocabulary as words
from include.sandbox.org.generator.defects import has_sql
from include.sandbox.org.generator.dice import Dice, chosen
from include.sandbox.org.ids import id_sql
from include.sandbox.org.schema.lead import STATUSES
from include.sandbox.org.schema.standard import INDUSTRIES, INTERESTS, LEAD_SOURCES, RATINGS, SALUTATIONS

DUPLICATE = "contact_duplicate"
_UNCONVERTED = tuple(each for each in STATUSES if each != "Closed - Converted")


def _names(dice: Dice, test: str, capitals: str, *, duplicate: str = "FALSE") -> dict[str, str]:
    """Return the name; a duplicate writes it in small letters with a blank behind."""
    first = chosen([each[0] for each in words.FIRST_NAMES], "first")
    last = chosen([each[0] for each in words.LAST_NAMES], "last")
    return {
        "FirstName": (
            f"CASE WHEN {test} THEN {dice.pick(('Test', 'asdf', 'foo'), 10)} WHEN {capitals} THEN upper({first})"
            f" WHEN {duplicate} THEN lower({first}) ELSE {first} END"
        ),
        "LastName": (
            f"CASE WHEN {test} THEN {dice.pick(('test', 'asdf', 'Test User'), 11)} WHEN {capitals} THEN upper({last})"
            f" WHEN {duplicate} THEN {last} || ' ' ELSE {last} END"
        ),
        "Salutation": dice.pick((*SALUTATIONS, None, None), 12, "s"),
    }


def _mail(dice: Dice, missing: str, invalid: str, test: str, domain: str) -> str:
    first = chosen([each[1] for each in words.FIRST_NAMES], "first")
    last = chosen([each[1] for each in words.LAST_NAMES], "last")
    return (
        f"CASE WHEN {missing} THEN NULL WHEN {invalid} THEN {dice.pick(words.BROKEN_MAILS, 15)}"
        f" WHEN {test} THEN 'test' || n || '@example.com'"
        f" ELSE {first} || '.' || {last} || s || '@' || {domain} END"
    )


def _phone(dice: Dice, invalid: str, at_home: str, salt: int, empty: int) -> str:
    return (
        f"CASE WHEN {invalid} THEN {dice.pick(words.BROKEN_PHONES, salt)}"
        f" WHEN {at_home} THEN {parts.phone(dice, salt + 1, 'country', at_home=True, subject='s')}"
        f" WHEN {dice.chance(salt + 2, empty, 's')} THEN NULL"
        f" ELSE {parts.phone(dice, salt + 1, 'country', subject='s')} END"
    )


def _earlier(dice: Dice) -> str:
    """Return a time before the row's stamp."""
    return f"make_timestamp((stamp - {dice.roll(58, 9_000_000)})::BIGINT * 1000000)"


def _interests(dice: Dice) -> str:
    listed = ", ".join(
        f"CASE WHEN {dice.chance(60 + place, 35)} THEN '{each}' END" for place, each in enumerate(INTERESTS)
    )
    return f"nullif(concat_ws(';', {listed}), '')"


def contact_columns(dice: Dice) -> dict[str, str]:
    """Return an expression for each filled column; `n` is the row, `s` the person (a duplicate's is its twin's)."""
    test = has_sql("contact_test_record")
    domain = dice.pick(words.MAIL_DOMAINS, 16, "s")
    mail = _mail(
        dice, has_sql("contact_missing_email"), has_sql("contact_invalid_email"), test,
        f"CASE WHEN s % 3 = 0 THEN 'company' || account || '.example' ELSE {domain} END",
    )  # fmt: skip
    return {
        "AccountId": f"CASE WHEN {has_sql('contact_orphan')} THEN NULL ELSE {id_sql('001', 'account')} END",
        **_names(dice, test, has_sql("contact_name_in_capitals"), duplicate=has_sql(DUPLICATE)),
        **parts.place_columns("Mailing", dice, 20, "s"),
        "Phone": _phone(dice, has_sql("contact_invalid_phone"), has_sql("contact_phone_without_country"), 30, 8),
        "MobilePhone": f"CASE WHEN {dice.chance(34, 60, 's')} THEN {parts.phone(dice, 35, 'country', subject='s')} END",
        "ReportsToId": parts.maybe(dice, 36, 10, f"CASE WHEN n > 10 THEN {id_sql('003', '(n // 10)')} END"),
        "Email": f"CASE WHEN {has_sql(DUPLICATE)} THEN upper({mail}) ELSE {mail} END",
        "Title": dice.pick(words.TITLES, 40),
        "Department": dice.pick(words.DEPARTMENTS, 41),
        "LeadSource": dice.pick((*LEAD_SOURCES, None), 42),
        "Birthdate": (
            f"CASE WHEN {has_sql('contact_future_birthdate')} THEN today + 30 + {dice.roll(43, 3000)}"
            f" WHEN {dice.chance(44, 40)} THEN today - 7000 - {dice.roll(45, 20_000)} END"
        ),
        "Description": parts.maybe(dice, 46, 25, dice.pick(words.NOTES, 47)),
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
        "Last_Survey__c": parts.maybe(dice, 57, 30, _earlier(dice)),
        "Notes__c": parts.maybe(dice, 59, 10, dice.pick(words.NOTES, 70)),
    }  # fmt: skip


def lead_columns(dice: Dice, accounts: Dice, contacts: int, opportunities: int) -> dict[str, str]:
    """Return an expression for each filled column; every tenth lead is converted."""
    test, matching = has_sql("lead_test_record"), has_sql("lead_matches_account")
    prospect = f"{dice.pick(words.PROSPECT_FIRST, 17)} || ' ' || {dice.pick(words.PROSPECT_SECOND, 18)} || ' ' || n"
    mail = _mail(
        dice, has_sql("lead_missing_email"), has_sql("lead_invalid_email"), test,
        "CASE WHEN s % 3 = 0 THEN 'prospect' || n || '.example' ELSE " + dice.pick(words.MAIL_DOMAINS, 16) + " END",
    )  # fmt: skip
    person = f"(1 + {dice.roll(80, contacts)})"
    deal = f"(1 + {dice.roll(81, opportunities)})"
    return {
        **_names(dice, test, has_sql("lead_name_in_capitals")),
        "Title": dice.pick(words.TITLES, 40),
        "Company": f"CASE WHEN {matching} THEN {parts.company_name('account', accounts)} ELSE {prospect} END",
        **parts.place_columns("", dice, 20),
        "Phone": _phone(dice, has_sql("lead_invalid_phone"), has_sql("lead_phone_without_country"), 30, 20),
        "Email": mail,
        "Website": parts.maybe(dice, 36, 40, "'prospect' || n || '.example'"),
        "Description": parts.maybe(dice, 46, 20, dice.pick(words.NOTES, 47)),
        "LeadSource": dice.pick((*LEAD_SOURCES, None), 42),
        "Status": f"CASE WHEN converted THEN '{STATUSES[2]}' ELSE {dice.pick(_UNCONVERTED, 43)} END",
        "Industry": dice.pick((*INDUSTRIES, None), 44),
        "Rating": dice.pick((*RATINGS, None), 45),
        "AnnualRevenue": f"CASE WHEN {dice.chance(48, 40)} THEN {dice.roll(49, 90_000)} * 1000.0 END",
        "NumberOfEmployees": f"CASE WHEN {dice.chance(50, 40)} THEN 1 + {dice.roll(51, 9_000)} END",
        "OwnerId": parts.owner(dice, has_sql("lead_inactive_owner")),
        "HasOptedOutOfEmail": dice.chance(52, 6),
        "IsConverted": "converted",
        "ConvertedDate": "CASE WHEN converted THEN make_timestamp(stamp::BIGINT * 1000000)::DATE END",
        "ConvertedAccountId": f"CASE WHEN converted THEN {id_sql('001', 'account')} END",
        "ConvertedContactId": f"CASE WHEN converted THEN {id_sql('003', person)} END",
        "ConvertedOpportunityId": f"CASE WHEN converted AND n % 2 = 0 THEN {id_sql('006', deal)} END",
        "IsUnreadByOwner": dice.chance(53, 30),
        "CleanStatus": "'Pending'",
        "External_Key__c": "'L-' || lpad(n::VARCHAR, 9, '0')",
        "Score__c": f"CASE WHEN {dice.chance(54, 70)} THEN {dice.roll(55, 1000)} / 10.0 END",
        "Newsletter__c": dice.chance(56, 30),
        "Last_Campaign_Touch__c": parts.maybe(dice, 57, 40, _earlier(dice)),
    }  # fmt: skip

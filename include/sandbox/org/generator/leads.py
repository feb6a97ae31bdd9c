"""Leads: strangers, but for those whose company is an account and those who are contacts already."""

from __future__ import annotations

from collections.abc import Mapping

from include.sandbox.org.generator import names, parts
from include.sandbox.org.generator import vocabulary as words
from include.sandbox.org.generator.contacts import contact_dice, mail_domain
from include.sandbox.org.generator.defects import Marks, has_sql
from include.sandbox.org.generator.dice import Dice
from include.sandbox.org.generator.recipe import Recipe, Sizes
from include.sandbox.org.ids import id_sql
from include.sandbox.org.schema.lead import STATUSES
from include.sandbox.org.schema.standard import INDUSTRIES, LEAD_SOURCES, RATINGS, SALUTATIONS

DUPLICATE = "lead_duplicates_contact"
_UNCONVERTED = tuple(each for each in STATUSES if each != "Closed - Converted")


def lead_recipe(seed: int, sizes: Sizes, accounts: Dice) -> Recipe:
    """Return how leads are made."""
    dice, people = Dice(seed=seed, kind=3), contact_dice(seed)
    marks = Marks(object="Lead", dice=dice)
    contacts = Marks(object="Contact", dice=people)
    person = sizes.number("Contact", dice, 82)
    # Only a clean contact with a mailbox of its own is doubled.
    shared = contacts.drew("not_duplicate_role_mailbox", f"({person} + 1)")
    return Recipe(
        object="Lead",
        dice=dice,
        mark=marks.mark(f"{contacts.clean(person)} AND NOT {shared}", {}),
        twin=f"CASE WHEN {has_sql(DUPLICATE)} THEN {id_sql('003', 'person')} END",
        stages=(
            {
                "digits": parts.digits(dice, 31),
                "person": person,
                "known": has_sql(DUPLICATE),
                "converted": f"d = 0 AND {dice.chance(6, 10)}",
            },
            {
                "first": f"CASE WHEN known THEN {names.first_number(people, 'person')}"
                         f" ELSE {names.first_number(dice, 'n')} END",
                "last": f"CASE WHEN known THEN {names.last_number(people, 'person')}"
                        f" ELSE {names.last_number(dice, 'n')} END",
                "account": f"CASE WHEN known THEN {sizes.number('Account', people, 5, 'person')}"
                           f" ELSE {sizes.number('Account', dice, 5)} END",
                "country": f"CASE WHEN known THEN {people.roll(4, len(words.COUNTRIES), 'person')}"
                           f" ELSE {dice.roll(4, len(words.COUNTRIES))} END",
            },
            names.SPELT,
            {"contact_mail": f"first_mail || '.' || last_mail || person || '@' || "
                             f"{mail_domain(people, 'person', 'account')}"},
        ),
        columns=_columns(dice, sizes, accounts),
    )  # fmt: skip


def _person_columns(dice: Dice) -> Mapping[str, str]:
    test, capitals = has_sql("lead_test_record"), has_sql("lead_name_in_capitals")
    # An underscore, so that no stranger has a contact's address by chance.
    mail = (
        f"first_mail || '_' || last_mail || n || '@' ||"
        f" CASE WHEN n % 3 = 0 THEN 'prospect' || n || '.example' ELSE {dice.pick(words.MAIL_DOMAINS, 16)} END"
    )
    return {
        "FirstName": (
            f"CASE WHEN {test} THEN {names.test_first_name(dice)} WHEN {capitals} THEN upper(first_name)"
            f" WHEN known THEN lower(first_name) ELSE first_name END"
        ),
        "LastName": (
            f"CASE WHEN {test} THEN {names.test_last_name(dice)} WHEN {capitals} THEN upper(last_name)"
            f" ELSE last_name END"
        ),
        "Salutation": dice.pick((*SALUTATIONS, None, None), 12),
        "Phone": (
            f"CASE WHEN {has_sql('lead_invalid_phone')} THEN {dice.pick(words.BROKEN_PHONES, 30)}"
            f" WHEN {has_sql('lead_phone_without_country')} THEN {parts.phone('digits', at_home=True)}"
            f" WHEN {dice.chance(32, 20)} THEN NULL ELSE {parts.phone('digits')} END"
        ),
        "Email": (
            f"CASE WHEN {has_sql('lead_missing_email')} THEN NULL"
            f" WHEN {has_sql('lead_invalid_email')} THEN {dice.pick(words.BROKEN_MAILS, 15)}"
            f" WHEN {test} THEN 'test' || n || '@example.com'"
            f" WHEN known THEN {names.respelt_mail('contact_mail', dice, 117)} ELSE {mail} END"
        ),
    }


def _columns(dice: Dice, sizes: Sizes, accounts: Dice) -> Mapping[str, str]:
    """Return an expression for each filled column; every tenth clean lead is converted."""
    first, second = dice.pick(words.PROSPECT_FIRST, 17), dice.pick(words.PROSPECT_SECOND, 18)
    return {
        **_person_columns(dice),
        "Title": dice.pick(words.TITLES, 40),
        "Company": (
            f"CASE WHEN {has_sql('lead_matches_account')} THEN {parts.company_name('account', accounts)}"
            f" WHEN known THEN {parts.short_company_name('account', accounts)} ELSE {first} || ' ' || {second} || ' '"
            " || n END"
        ),
        **parts.place_columns("", dice, 20),
        "Website": parts.maybe(dice, 36, 40, "'prospect' || n || '.example'"),
        "Description": parts.maybe(dice, 46, 20, dice.pick(words.NOTES, 47)),
        "LeadSource": dice.pick((*LEAD_SOURCES, None), 42),
        "Status": f"CASE WHEN converted THEN '{STATUSES[2]}' ELSE {dice.pick(_UNCONVERTED, 43)} END",
        "Industry": dice.pick((*INDUSTRIES, None), 44),
        "Rating": dice.pick((*RATINGS, None), 45),
        "AnnualRevenue": f"CASE WHEN {dice.chance(48, 40)} THEN {dice.roll(49, 90_000)} * 1000.0 END",
        "NumberOfEmployees": f"CASE WHEN {dice.chance(50, 40)} THEN 1 + {dice.roll(51, 9_000)} END",
        "OwnerId": parts.owner(dice, has_sql("lead_inactive_owner"), queue="Lead"),
        "HasOptedOutOfEmail": dice.chance(52, 6),
        "IsConverted": "converted",
        "ConvertedDate": "CASE WHEN converted THEN make_timestamp(stamp::BIGINT * 1000000)::DATE END",
        "ConvertedAccountId": f"CASE WHEN converted THEN {id_sql('001', 'account')} END",
        "ConvertedContactId": f"CASE WHEN converted THEN {id_sql('003', sizes.number('Contact', dice, 80))} END",
        "ConvertedOpportunityId": (
            f"CASE WHEN converted AND n % 2 = 0 THEN {id_sql('006', sizes.number('Opportunity', dice, 81))} END"
        ),
        "IsUnreadByOwner": dice.chance(53, 30),
        "CleanStatus": "'Pending'",
        "External_Key__c": "'L-' || lpad(n::VARCHAR, 9, '0')",
        "Score__c": f"CASE WHEN {dice.chance(54, 70)} THEN {dice.roll(55, 1000)} / 10.0 END",
        "Newsletter__c": dice.chance(56, 30),
        "Last_Campaign_Touch__c": parts.maybe(dice, 57, 40, parts.earlier(dice)),
    }

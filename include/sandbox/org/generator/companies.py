"""Accounts."""

from __future__ import annotations

from include.sandbox.org.generator import parts
from include.sandbox.org.generator import vocabulary as words
from include.sandbox.org.generator.defects import Marks, has_sql
from include.sandbox.org.generator.dice import Dice
from include.sandbox.org.generator.recipe import Recipe
from include.sandbox.org.ids import id_sql
from include.sandbox.org.schema.account import TYPES
from include.sandbox.org.schema.standard import INDUSTRIES, LEAD_SOURCES, RATINGS, REGIONS

DUPLICATE = "account_duplicate"


def account_recipe(seed: int) -> Recipe:
    """Return how accounts are made; `s` is the company, which for a duplicate is its twin's."""
    dice = account_dice(seed)
    marks = Marks(object="Account", dice=dice)
    return Recipe(
        object="Account",
        dice=dice,
        mark=marks.mark(f"n > 1 AND {marks.clean('(n - 1)')}", {}),
        twin=f"CASE WHEN {has_sql(DUPLICATE)} THEN {id_sql('001', '(n - 1)')} END",
        stages=(
            {"s": f"CASE WHEN {has_sql(DUPLICATE)} THEN n - 1 ELSE n END"},
            {"country": dice.roll(4, len(words.COUNTRIES), "s"), "digits": parts.digits(dice, 31, "s")},
        ),
        columns=_columns(dice),
    )


def account_dice(seed: int) -> Dice:
    """Return the dice of accounts."""
    return Dice(seed=seed, kind=1)


def _columns(dice: Dice) -> dict[str, str]:
    """Return an expression for each filled column."""
    name = parts.company_name("s", dice)
    duplicate, capitals = has_sql(DUPLICATE), has_sql("account_name_in_capitals")
    website = "'www.company' || s || '.example'"
    return {
        "Name": (
            f"CASE WHEN {has_sql('account_test_record')} THEN 'Test Account ' || n"
            f" WHEN {capitals} THEN upper({name}) WHEN {duplicate} THEN lower({name}) || ' ' ELSE {name} END"
        ),
        "Type": dice.pick((*TYPES, None), 10),
        "ParentId": parts.maybe(dice, 11, 8, f"CASE WHEN n > 10 THEN {id_sql('001', '(n // 10)')} END"),
        **parts.place_columns("Billing", dice, 20, "s"),
        "BillingState": dice.pick(("CA", "Calif.", "NRW", None, None, None), 25),
        "Phone": (
            f"CASE WHEN {has_sql('account_invalid_phone')} THEN {dice.pick(words.BROKEN_PHONES, 30)}"
            f" ELSE {parts.phone('digits')} END"
        ),
        "AccountNumber": "'AC-' || lpad(n::VARCHAR, 8, '0')",
        "Website": (
            f"CASE WHEN {has_sql('account_without_website')} THEN NULL"
            f" WHEN {duplicate} THEN 'https://' || {website} ELSE {website} END"
        ),
        "Industry": dice.pick((*INDUSTRIES, None), 40, "s"),
        "AnnualRevenue": f"CASE WHEN {dice.chance(41, 70)} THEN {dice.roll(42, 90_000)} * 1000.0 END",
        "NumberOfEmployees": f"CASE WHEN {dice.chance(43, 70)} THEN 1 + {dice.roll(44, 9_000)} END",
        "Ownership": dice.pick(("Public", "Private", "Subsidiary", None, None), 45),
        "Description": parts.maybe(dice, 46, 30, dice.pick(words.NOTES, 47)),
        "Rating": dice.pick((*RATINGS, None), 48),
        "RecordTypeId": parts.record_type(dice, 56, 1, 1, 2),
        "OwnerId": parts.owner(dice, has_sql("account_inactive_owner")),
        "AccountSource": dice.pick((*LEAD_SOURCES, None), 49),
        "CleanStatus": "'Pending'",
        "External_Key__c": "'A-' || lpad(n::VARCHAR, 9, '0')",
        "Region__c": dice.pick(REGIONS, 50),
        "Strategic__c": dice.chance(51, 5),
        "Credit_Limit__c": f"CASE WHEN {dice.chance(52, 60)} THEN {dice.roll(53, 10_000_000)} / 100.0 END",
        "Renewal_Date__c": parts.maybe(dice, 54, 50, f"(today + {dice.roll(55, 700)} - 100)"),
    }

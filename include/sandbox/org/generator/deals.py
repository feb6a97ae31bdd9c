"""Opportunities, and the parts that people play in them."""

from __future__ import annotations

from include.sandbox.org.generator import parts
from include.sandbox.org.generator import vocabulary as words
from include.sandbox.org.generator.defects import Marks, has_sql
from include.sandbox.org.generator.dice import Dice
from include.sandbox.org.generator.recipe import Recipe, Sizes
from include.sandbox.org.ids import id_sql
from include.sandbox.org.schema.deal_role import ROLES
from include.sandbox.org.schema.opportunity import STAGES, TYPES
from include.sandbox.org.schema.standard import LEAD_SOURCES

_OPEN = [each for each in STAGES if not each.startswith("Closed")]


def opportunity_recipe(seed: int, sizes: Sizes) -> Recipe:
    """Return how opportunities are made; a clean open deal closes in the future, a closed one has closed."""
    dice = Dice(seed=seed, kind=4)
    stale, unpriced = has_sql("opportunity_stale"), has_sql("opportunity_missing_amount")
    stage = (
        f"CASE WHEN {stale} OR {unpriced} OR {dice.chance(10, 55)} THEN {dice.pick(_OPEN, 11)}"
        f" WHEN {dice.chance(12, 50)} THEN 'Closed Won' ELSE 'Closed Lost' END"
    )
    return Recipe(
        object="Opportunity",
        dice=dice,
        mark=Marks(object="Opportunity", dice=dice).mark("FALSE", {}),
        stages=({"account": sizes.number("Account", dice, 5), "stage": stage},),
        columns=_opportunity_columns(dice, sizes),
    )


def _opportunity_columns(dice: Dice, sizes: Sizes) -> dict[str, str]:
    stale, unpriced = has_sql("opportunity_stale"), has_sql("opportunity_missing_amount")
    mismatch = has_sql("opportunity_probability_mismatch")
    usual = "CASE stage " + " ".join(f"WHEN '{name}' THEN {each[0]}" for name, each in STAGES.items()) + " END"
    return {
        "AccountId": f"CASE WHEN {has_sql('opportunity_orphan')} THEN NULL ELSE {id_sql('001', 'account')} END",
        "Name": f"{dice.pick(words.DEALS, 20)} || ' ' || n",
        "Description": parts.maybe(dice, 21, 20, dice.pick(words.NOTES, 22)),
        "StageName": "stage",
        "Amount": f"CASE WHEN {unpriced} THEN NULL ELSE 100 + {dice.roll(23, 20_000_000)} / 100.0 END",
        "Probability": f"CASE WHEN {mismatch} THEN CASE WHEN {usual} >= 50 THEN 5 ELSE 95 END ELSE {usual} END",
        "CloseDate": (
            f"CASE WHEN {stale} THEN today - 30 - {dice.roll(24, 400)}"
            f" WHEN stage IN ('Closed Won', 'Closed Lost') THEN today - 1 - {dice.roll(25, 700)}"
            f" ELSE today + 30 + {dice.roll(26, 300)} END"
        ),
        "Type": dice.pick((*TYPES, None), 27),
        "RecordTypeId": parts.record_type(dice, 35, 3, 3, 4),
        "CampaignId": parts.maybe(dice, 36, 30, id_sql("701", sizes.number("Campaign", dice, 37))),
        "NextStep": dice.pick(words.NEXT_STEPS, 28),
        "LeadSource": dice.pick((*LEAD_SOURCES, None), 29),
        "OwnerId": parts.owner(dice, has_sql("opportunity_inactive_owner")),
        "LastStageChangeDate": parts.maybe(dice, 30, 60, "make_timestamp((stamp - 3600)::BIGINT * 1000000)"),
        "External_Key__c": "'O-' || lpad(n::VARCHAR, 9, '0')",
        "Discount__c": f"CASE WHEN {dice.chance(31, 30)} THEN {dice.roll(32, 4000)} / 100.0 END",
        "Competitor_Notes__c": parts.maybe(dice, 33, 8, dice.pick(words.NOTES, 34)),
    }


def role_recipe(seed: int, sizes: Sizes) -> Recipe:
    """Return how contact roles are made: one deal in three has several people, the first of them is primary."""
    dice = Dice(seed=seed, kind=6)
    deals = sizes.counts["Opportunity"]
    columns = {
        "OpportunityId": id_sql("006", f"(1 + (n - 1) % {deals} // 3 * 3 % {deals})"),
        "ContactId": id_sql("003", sizes.number("Contact", dice, 10)),
        "Role": dice.pick((*ROLES, None), 11),
        "IsPrimary": "(n % 3 = 1)",
    }
    return Recipe(object="OpportunityContactRole", dice=dice, columns=columns)

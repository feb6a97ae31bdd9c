"""Campaigns, and whom they reach."""

from __future__ import annotations

from include.sandbox.org.generator import parts
from include.sandbox.org.generator import vocabulary as words
from include.sandbox.org.generator.dice import Dice
from include.sandbox.org.generator.recipe import Recipe, Sizes
from include.sandbox.org.ids import id_sql
from include.sandbox.org.schema.campaign import MEMBER_STATUSES, STATUSES, TYPES

_NAMES = ("Hannover Messe", "Spring Webinar", "Kundentag", "Newsletter, Q3", "展示会", 'Launch "Aurora"', "Referral")


def campaign_recipe(seed: int, sizes: Sizes) -> Recipe:
    """Return how campaigns are made."""
    dice = Dice(seed=seed, kind=8)
    begin = f"(today - 600 + {dice.roll(10, 700)})"
    columns = {
        "Name": f"{dice.pick(_NAMES, 11)} || ' ' || n",
        "ParentId": parts.maybe(dice, 12, 40, f"CASE WHEN n > 4 THEN {id_sql('701', '(n // 4)')} END"),
        "Type": dice.pick(TYPES, 13),
        "RecordTypeId": parts.record_type(dice, 14, 7),
        "Status": dice.pick(STATUSES, 15),
        "StartDate": begin,
        "EndDate": f"{begin} + {dice.roll(16, 90)}",
        "ExpectedRevenue": f"{dice.roll(17, 900)} * 1000.0",
        "BudgetedCost": f"{dice.roll(18, 90)} * 1000.0",
        "ActualCost": f"{dice.roll(19, 9_000_000)} / 100.0",
        "ExpectedResponse": f"{dice.roll(20, 10_000)} / 100.0",
        "NumberSent": f"{dice.roll(21, 100_000)}",
        "IsActive": dice.chance(22, 60),
        "Description": parts.maybe(dice, 23, 50, dice.pick(words.NOTES, 24)),
        "OwnerId": parts.active_user(dice, 25),
    }
    return Recipe(object="Campaign", dice=dice, columns=columns)


def member_recipe(seed: int, sizes: Sizes) -> Recipe:
    """Return how campaign members are made: one in three is a lead; nobody is in one campaign twice."""
    dice = Dice(seed=seed, kind=9)
    campaigns = sizes.counts["Campaign"]
    answered = dice.chance(10, 25)
    # Whoever comes up again, a round later, gets into the next campaign.
    stages = (
        {"many": f"CASE WHEN n % 3 = 0 THEN {sizes.counts['Lead']} ELSE {sizes.counts['Contact']} END"},
        {"person": "(1 + n * 7 % many)", "round": "(n * 7 // many)"},
        {"campaign": f"(1 + ({dice.roll(11, campaigns, 'person')} + round) % {campaigns})"},
    )
    columns = {
        "CampaignId": id_sql("701", "campaign"),
        "LeadId": f"CASE WHEN n % 3 = 0 THEN {id_sql('00Q', 'person')} END",
        "ContactId": f"CASE WHEN n % 3 <> 0 THEN {id_sql('003', 'person')} END",
        "Status": f"CASE WHEN {answered} THEN '{MEMBER_STATUSES[1]}' ELSE '{MEMBER_STATUSES[0]}' END",
        "FirstRespondedDate": f"CASE WHEN {answered} THEN {parts.at_stamp()}::DATE END",
    }
    return Recipe(object="CampaignMember", dice=dice, stages=stages, columns=columns)

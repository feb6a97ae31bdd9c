"""Opportunities and tasks."""

from __future__ import annotations

from include.sandbox.org.generator import parts
from include.sandbox.org.generator import vocabulary as words
from include.sandbox.org.generator.defects import has_sql
from include.sandbox.org.generator.dice import Dice
from include.sandbox.org.ids import id_sql
from include.sandbox.org.schema.activity import STATUSES
from include.sandbox.org.schema.opportunity import STAGES, TYPES
from include.sandbox.org.schema.standard import LEAD_SOURCES

_UNDONE = [each for each in STATUSES if each != "Completed"]
_OPEN = [each for each in STAGES if not each.startswith("Closed")]


def opportunity_columns(dice: Dice) -> dict[str, str]:
    """Return an expression for each filled column; a clean open deal closes in the future, a closed one has closed."""
    stale, unpriced = has_sql("opportunity_stale"), has_sql("opportunity_missing_amount")
    mismatch = has_sql("opportunity_probability_mismatch")
    stage = (
        f"CASE WHEN {stale} OR {unpriced} OR {dice.chance(10, 55)} THEN {dice.pick(_OPEN, 11)}"
        f" WHEN {dice.chance(12, 50)} THEN 'Closed Won' ELSE 'Closed Lost' END"
    )
    usual = "CASE stage " + " ".join(f"WHEN '{name}' THEN {each[0]}" for name, each in STAGES.items()) + " END"
    return {
        "AccountId": f"CASE WHEN {has_sql('opportunity_orphan')} THEN NULL ELSE {id_sql('001', 'account')} END",
        "Name": f"{dice.pick(words.DEALS, 20)} || ' ' || n",
        "Description": parts.maybe(dice, 21, 20, dice.pick(words.NOTES, 22)),
        "StageName": stage,
        "Amount": f"CASE WHEN {unpriced} THEN NULL ELSE 100 + {dice.roll(23, 20_000_000)} / 100.0 END",
        "Probability": f"CASE WHEN {mismatch} THEN CASE WHEN {usual} >= 50 THEN 5 ELSE 95 END ELSE {usual} END",
        "CloseDate": (
            f"CASE WHEN {stale} THEN today - 30 - {dice.roll(24, 400)}"
            f" WHEN stage IN ('Closed Won', 'Closed Lost') THEN today - 1 - {dice.roll(25, 700)}"
            f" ELSE today + 30 + {dice.roll(26, 300)} END"
        ),
        "Type": dice.pick((*TYPES, None), 27),
        "NextStep": dice.pick(words.NEXT_STEPS, 28),
        "LeadSource": dice.pick((*LEAD_SOURCES, None), 29),
        "OwnerId": parts.owner(dice, has_sql("opportunity_inactive_owner")),
        "LastStageChangeDate": parts.maybe(dice, 30, 60, "make_timestamp((stamp - 3600)::BIGINT * 1000000)"),
        "External_Key__c": "'O-' || lpad(n::VARCHAR, 9, '0')",
        "Discount__c": f"CASE WHEN {dice.chance(31, 30)} THEN {dice.roll(32, 4000)} / 100.0 END",
        "Competitor_Notes__c": parts.maybe(dice, 33, 8, dice.pick(words.NOTES, 34)),
    }


def task_columns(dice: Dice, contacts: int) -> dict[str, str]:
    """Return an expression for each filled column."""
    done = dice.chance(10, 60)
    return {
        "WhoId": parts.maybe(dice, 11, 85, id_sql("003", f"(1 + {dice.roll(12, contacts)})")),
        "WhatId": parts.maybe(dice, 13, 60, id_sql("001", "account")),
        "AccountId": parts.maybe(dice, 13, 60, id_sql("001", "account")),
        "Subject": dice.pick(words.SUBJECTS, 14),
        "ActivityDate": f"today - 400 + {dice.roll(15, 450)}",
        "Status": f"CASE WHEN {done} THEN 'Completed' ELSE {dice.pick(_UNDONE, 16)} END",
        "Priority": dice.pick(("High", "Normal", "Normal", "Low"), 17),
        "OwnerId": parts.active_user(dice, 18),
        "Description": parts.maybe(dice, 19, 25, dice.pick(words.NOTES, 20)),
        "CompletedDateTime": f"CASE WHEN {done} THEN make_timestamp(stamp::BIGINT * 1000000) END",
        "TaskSubtype": dice.pick(("Task", "Email", "Call"), 21),
        "CallDurationInSeconds": parts.maybe(dice, 22, 20, f"{dice.roll(23, 3600)}"),
    }  # fmt: skip

"""Tasks and events; what was finished more than a year ago is archived."""

from __future__ import annotations

from include.sandbox.org.generator import parts
from include.sandbox.org.generator import vocabulary as words
from include.sandbox.org.generator.dice import Dice
from include.sandbox.org.generator.recipe import Recipe, Sizes
from include.sandbox.org.ids import id_sql
from include.sandbox.org.schema.activity import CALL_TYPES, EVENT_SUBJECTS, EVENT_TYPES, SHOW_AS, STATUSES

_DUE = "(today + 50 - back)"
_UNDONE = [each for each in STATUSES if each != "Completed"]
_ROOMS = ("Room 4", "Online", "Besprechungsraum Süd", "東京オフィス", "At the customer's; ring twice", None)


def task_recipe(seed: int, sizes: Sizes) -> Recipe:
    """Return how tasks are made."""
    dice = Dice(seed=seed, kind=5)
    columns = {
        **_about(dice, sizes),
        "Subject": dice.pick(words.SUBJECTS, 14),
        "ActivityDate": _DUE,
        "Status": f"CASE WHEN done THEN 'Completed' ELSE {dice.pick(_UNDONE, 16)} END",
        "Priority": dice.pick(("High", "Normal", "Normal", "Low"), 17),
        "OwnerId": f"CASE WHEN {dice.chance(26, 3)} THEN {parts.queue_of(dice, 'Task')}"
        f" WHEN {dice.chance(27, 2)} THEN {parts.inactive_user(dice, 28)}"
        f" ELSE {parts.active_user(dice, 18)} END",
        "Description": parts.maybe(dice, 19, 25, dice.pick(words.NOTES, 20)),
        "CompletedDateTime": f"CASE WHEN done THEN {parts.at_stamp()} END",
        "IsArchived": "(done AND back > 415)",
        "TaskSubtype": dice.pick(("Task", "Email", "Call"), 21),
        "CallType": dice.pick((*CALL_TYPES, None, None, None), 24),
        "CallDurationInSeconds": parts.maybe(dice, 22, 20, f"{dice.roll(23, 3600)}"),
    }
    return Recipe(object="Task", dice=dice, stages=_stages(dice, sizes), columns=columns)  # fmt: skip


def event_recipe(seed: int, sizes: Sizes) -> Recipe:
    """Return how events are made; one in ten lasts all day."""
    dice = Dice(seed=seed, kind=7)
    begin = f"({_DUE}::TIMESTAMP + to_hours(7 + {dice.roll(30, 10)}) + to_minutes(15 * {dice.roll(31, 4)}))"
    minutes = f"CASE WHEN whole THEN 1440 ELSE 15 * (1 + {dice.roll(32, 8)}) END"
    start = f"CASE WHEN whole THEN {_DUE}::TIMESTAMP ELSE {begin} END"
    columns = {
        **_about(dice, sizes),
        "Subject": dice.pick((*EVENT_SUBJECTS, 'Demo: "Release 7"', None), 14),
        "Location": dice.pick(_ROOMS, 33),
        "IsAllDayEvent": "whole",
        "ActivityDateTime": f"CASE WHEN NOT whole THEN {begin} END",
        "ActivityDate": _DUE,
        "DurationInMinutes": minutes,
        "StartDateTime": start,
        "EndDateTime": f"{start} + to_minutes({minutes})",
        "Description": parts.maybe(dice, 19, 25, dice.pick(words.NOTES, 20)),
        "OwnerId": parts.active_user(dice, 18),
        "Type": dice.pick((*EVENT_TYPES, None), 34),
        "IsPrivate": dice.chance(35, 3),
        "ShowAs": dice.pick(SHOW_AS, 36),
        "IsArchived": "(back > 415)",
        "EventSubtype": "'Event'",
        "IsReminderSet": dice.chance(37, 40),
        "ReminderDateTime": f"CASE WHEN {dice.chance(37, 40)} THEN {start} - INTERVAL 15 MINUTE END",
    }
    stages = (*_stages(dice, sizes), {"whole": dice.chance(38, 10)})
    return Recipe(object="Event", dice=dice, stages=stages, columns=columns)


def _stages(dice: Dice, sizes: Sizes) -> tuple[dict[str, str], ...]:
    drawn = {"account": sizes.number("Account", dice, 5), "done": dice.chance(10, 60), "back": dice.roll(15, 450)}
    return (drawn,)


def _about(dice: Dice, sizes: Sizes) -> dict[str, str]:
    """Return whom and what an activity is about: mostly contacts and accounts, now and then leads, deals and cases."""
    targets = {
        50: id_sql("001", "account"),
        55: id_sql("006", sizes.number("Opportunity", dice, 41)),
        60: id_sql("500", sizes.number("Case", dice, 42)),
    }
    what = " ".join(f"WHEN {dice.roll(13, 100)} < {below} THEN {sql}" for below, sql in targets.items())
    return {
        "WhoId": (
            f"CASE WHEN {dice.chance(11, 85)} THEN {id_sql('003', sizes.number('Contact', dice, 12))}"
            f" WHEN {dice.chance(43, 50)} THEN {id_sql('00Q', sizes.number('Lead', dice, 44))} END"
        ),
        "WhatId": f"CASE {what} END",
        "AccountId": f"CASE WHEN {dice.roll(13, 100)} < 60 THEN {id_sql('001', 'account')} END",
    }

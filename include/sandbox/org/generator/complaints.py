"""Cases, and the files on records."""

from __future__ import annotations

from include.sandbox.org.generator import parts
from include.sandbox.org.generator import vocabulary as words
from include.sandbox.org.generator.dice import Dice
from include.sandbox.org.generator.recipe import Recipe, Sizes
from include.sandbox.org.ids import id_sql
from include.sandbox.org.schema.case import ORIGINS, REASONS, STATUSES, TYPES

_SUBJECTS = (
    "Cannot sign in", "Rechnung falsch", 'Error "42" on start', "Envío tardío", "返品について", "Re: Re: Fwd:", "N/A",
)  # fmt: skip
_FILES = ("offer.txt", "Angebot (final).txt", "見積書.txt", "notes.txt")


def case_recipe(seed: int, sizes: Sizes) -> Recipe:
    """Return how cases are made; a fifth waits in a queue, and a few were sent in by strangers."""
    dice = Dice(seed=seed, kind=10)
    columns = {
        "ContactId": parts.maybe(dice, 10, 80, id_sql("003", sizes.number("Contact", dice, 11))),
        "AccountId": parts.maybe(dice, 12, 80, id_sql("001", sizes.number("Account", dice, 13))),
        "ParentId": parts.maybe(dice, 14, 5, f"CASE WHEN n > 10 THEN {id_sql('500', '(n // 10)')} END"),
        "SuppliedName": parts.maybe(dice, 15, 15, "'Web visitor ' || n"),
        "SuppliedEmail": parts.maybe(dice, 15, 15, "'visitor' || n || '@example.net'"),
        "Type": dice.pick((*TYPES, None), 16),
        "RecordTypeId": parts.record_type(dice, 17, 5, 6),
        "Status": f"CASE WHEN closed THEN '{STATUSES[-1]}' ELSE {dice.pick(STATUSES[:-1], 18)} END",
        "Reason": dice.pick((*REASONS, None), 19),
        "Origin": dice.pick(ORIGINS, 20),
        "Subject": dice.pick(_SUBJECTS, 21),
        "Priority": dice.pick(("High", "Medium", "Medium", "Low"), 22),
        "Description": parts.maybe(dice, 23, 70, dice.pick(words.NOTES, 24)),
        "ClosedDate": f"CASE WHEN closed THEN {parts.at_stamp()} END",
        "IsEscalated": dice.chance(25, 4),
        "OwnerId": parts.owner(dice, dice.chance(26, 2), queue="Case", percent=20),
        "External_Key__c": "'CS-' || lpad(n::VARCHAR, 9, '0')",
    }
    return Recipe(object="Case", dice=dice, stages=({"closed": dice.chance(27, 65)},), columns=columns)


def attachment_recipe(seed: int, sizes: Sizes) -> Recipe:
    """Return how files are made: a few lines each, on contacts and accounts."""
    dice = Dice(seed=seed, kind=14)
    content = f"'File ' || n || chr(10) || {dice.pick(words.NOTES, 10)}"
    columns = {
        "ParentId": (
            f"CASE WHEN n % 2 = 0 THEN {id_sql('001', sizes.number('Account', dice, 11))}"
            f" ELSE {id_sql('003', sizes.number('Contact', dice, 12))} END"
        ),
        "Name": dice.pick(_FILES, 13),
        "ContentType": "'text/plain'",
        "Body": f"to_base64(encode({content}))",
        "OwnerId": parts.active_user(dice, 14),
    }
    return Recipe(object="Attachment", dice=dice, columns=columns)

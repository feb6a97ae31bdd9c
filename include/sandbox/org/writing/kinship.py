"""What speaks against a record because of others of its kind: circles in a hierarchy, a second membership."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from include.sandbox.org.ids import number_of
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.store.tables import FOREVER
from include.sandbox.org.writing.drafts import Draft, good
from include.sandbox.org.writing.lookups import old_values

if TYPE_CHECKING:
    from include.sandbox.org.org import Org

HIERARCHY = {"Account": "ParentId", "Campaign": "ParentId", "Case": "ParentId", "Contact": "ReportsToId"}
_DEEPEST = 100  # circles that lead past a record itself are not its fault, but must end


def check_kinship(org: Org, target: SObject, drafts: Sequence[Draft]) -> None:
    """Refuse records that would stand above themselves, and people who are in the campaign already."""
    name = HIERARCHY.get(target.name)
    if name is not None:
        _check_circles(org, target, name, [each for each in good(drafts) if each.id and each.values.get(name)])
    if target.name == "CampaignMember":
        _check_members(org, target, [each for each in good(drafts) if each.created])


def circular(name: str) -> Refusal:
    """Return the refusal of a circle."""
    return Refusal(400, "CIRCULAR_DEPENDENCY", "attempt to violate hierarchy constraints", [name])


def _check_circles(org: Org, target: SObject, name: str, drafts: Sequence[Draft]) -> None:
    written = {str(each.id): each.values.get(name) for each in drafts}
    above = {str(each.id): each.values[name] for each in drafts}
    circles: set[str] = set()
    for _ in range(_DEEPEST):
        circles |= {own for own, upper in above.items() if upper == own}
        above = {own: upper for own, upper in above.items() if upper is not None and own not in circles}
        if not above:
            break
        numbers = {upper: number for upper in above.values() if (number := number_of(upper)) is not None}
        rows = old_values(org, target, list(set(numbers.values())), [name])
        stored = {upper: rows.get(number, {}).get(name) for upper, number in numbers.items()}
        above = {own: written.get(upper, stored.get(upper)) for own, upper in above.items()}
    for draft in drafts:
        if draft.id in circles:
            draft.refuse(circular(name))


def _check_members(org: Org, target: SObject, drafts: Sequence[Draft]) -> None:
    if not drafts:
        return
    person = 'coalesce(t."LeadId", t."ContactId")'
    sql = (
        f'SELECT t."CampaignId", {person} FROM "{target.name}" t WHERE t._until = {FOREVER} AND NOT t."IsDeleted"'
        f" AND {person} IN (SELECT unnest($1::VARCHAR[]))"
    )
    people = [each.values.get("LeadId") or each.values.get("ContactId") for each in drafts]
    held = set(org.database.rows(sql, [[each for each in people if each]]))
    for draft, who in zip(drafts, people, strict=True):
        member = (draft.values.get("CampaignId"), who)
        if who is not None and member in held:
            draft.refuse(Refusal(400, "DUPLICATE_VALUE", "Already a campaign member.", []))
        held.add(member)

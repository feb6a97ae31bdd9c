"""The defects that are planted, so that their truth is known by Id.

A record draws a number below 10,000 once; the draw decides which defect it has, so that no record has two planted ones
and every defect's records are exactly those that were planted.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """Name a planted defect of an object and its share of the records, in hundredths of a percent."""

    object: str
    name: str
    share: int
    meaning: str


DEFECTS = (
    Defect(object="Account", name="account_without_website", share=300, meaning="Website is empty"),
    Defect(object="Account", name="account_duplicate", share=150, meaning="Name and Website of its twin, respelt"),
    Defect(object="Account", name="account_inactive_owner", share=150, meaning="the owner is an inactive user"),
    Defect(object="Account", name="account_test_record", share=30, meaning="a test record"),
    Defect(object="Account", name="account_invalid_phone", share=150, meaning="Phone is no telephone number"),
    Defect(object="Account", name="account_name_in_capitals", share=100, meaning="Name is written in capitals"),
    Defect(object="Contact", name="contact_duplicate", share=300, meaning="name and Email of its twin, respelt"),
    Defect(object="Contact", name="contact_missing_email", share=300, meaning="Email is empty"),
    Defect(object="Contact", name="contact_invalid_email", share=150, meaning="Email is no e-mail address"),
    Defect(object="Contact", name="contact_phone_without_country", share=200, meaning="Phone has no country code"),
    Defect(object="Contact", name="contact_invalid_phone", share=100, meaning="Phone is no telephone number"),
    Defect(object="Contact", name="contact_orphan", share=200, meaning="AccountId is empty"),
    Defect(object="Contact", name="contact_test_record", share=30, meaning="a test record"),
    Defect(object="Contact", name="contact_name_in_capitals", share=100, meaning="the name is written in capitals"),
    Defect(object="Contact", name="contact_future_birthdate", share=20, meaning="Birthdate is in the future"),
    Defect(object="Contact", name="contact_inactive_owner", share=100, meaning="the owner is an inactive user"),
    Defect(object="Lead", name="lead_matches_account", share=400, meaning="Company is an account: should be a contact"),
    Defect(object="Lead", name="lead_missing_email", share=300, meaning="Email is empty"),
    Defect(object="Lead", name="lead_invalid_email", share=150, meaning="Email is no e-mail address"),
    Defect(object="Lead", name="lead_phone_without_country", share=200, meaning="Phone has no country code"),
    Defect(object="Lead", name="lead_invalid_phone", share=100, meaning="Phone is no telephone number"),
    Defect(object="Lead", name="lead_test_record", share=50, meaning="a test record"),
    Defect(object="Lead", name="lead_name_in_capitals", share=100, meaning="the name is written in capitals"),
    Defect(object="Lead", name="lead_inactive_owner", share=100, meaning="the owner is an inactive user"),
    Defect(object="Opportunity", name="opportunity_stale", share=500, meaning="open, though CloseDate has passed"),
    Defect(object="Opportunity", name="opportunity_probability_mismatch", share=250, meaning="Probability is off"),
    Defect(object="Opportunity", name="opportunity_missing_amount", share=200, meaning="open, without Amount"),
    Defect(object="Opportunity", name="opportunity_orphan", share=150, meaning="AccountId is empty"),
    Defect(object="Opportunity", name="opportunity_inactive_owner", share=100, meaning="the owner is an inactive user"),
)  # fmt: skip


def of_object(name: str) -> list[Defect]:
    """Return the defects of an object; a defect's bit is its place in this list."""
    return [each for each in DEFECTS if each.object == name]


def bit(defect: Defect) -> int:
    """Return the bit that marks a defect in `_defects`."""
    return 1 << of_object(defect.object).index(defect)


def find(name: str) -> Defect | None:
    """Return the defect of this name, or None."""
    return next((each for each in DEFECTS if each.name == name), None)


def mark_sql(name: str, draw: str) -> str:
    """Return the expression of `_defects` for a draw below 10,000."""
    branches, below = [], 0
    for each in of_object(name):
        below += each.share
        branches.append(f"WHEN {draw} < {below} THEN {bit(each)}")
    return f"CASE {' '.join(branches)} ELSE 0 END" if branches else "0"


def has_sql(name: str) -> str:
    """Return the condition that a row of the generator, whose mark is `d`, has this defect."""
    defect = find(name)
    assert defect is not None, name
    return f"d = {bit(defect)}"

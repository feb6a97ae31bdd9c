"""Suggest whether a field is personal, from its name, its type and what a sample of its values looks like. Pure.

A suggestion is never applied by itself: a person accepts it, or decides otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MIN_FILLED = 20  # fewer values say nothing
_SHARE = 0.2  # of the filled values that look like something; below it, it is chance

_NAMES: tuple[tuple[str, str], ...] = (
    (r"(first|last|middle|full|nick|maiden|sur|given|family|contact|person|spouse|child|partner)_?name", "a name"),
    (r"^(salutation|suffix|signature|initials|alias|username|nickname)$", "a part of a name"),
    (r"e_?mail", "an e-mail address"),
    (r"(phone|mobile|(^|_)fax|telephone|whats_?app|(^|_)tel)(_|$|number|home|work|other)", "a phone number"),
    (r"(street|address|postal|postcode|(^|_)zip)", "an address"),
    (r"((^|_)city|latitude|longitude|geocode)", "where somebody lives"),
    (r"(birth|(^|_)(born|dob)(_|$)|(^|_)age$|deceased|death)", "an age or a birthday"),
    (r"(gender|(^|_)(sex|race)$|pronoun|ethnic|religio|politic|orientation|marital|nationalit)", "who somebody is"),
    (r"(health|disab|medical|diagnos|allerg|union|criminal)", "what the law protects most"),
    (
        r"(ssn|social_?security|passport|national_?id|tax_?id|vat_?id|driver|identity|id_?number|licen[cs]e)",
        "an identity",
    ),
    (r"(iban|card_?number|bank|(^|_)bic$|swift)", "a bank account"),
    (r"(salary|income|wage|credit_?score|net_?worth)", "what somebody earns or owns"),
    (
        r"(linked_?in|twitter|facebook|instagram|tiktok|skype|xing|social|photo|avatar|picture|website)",
        "a way to find somebody",
    ),
    (r"(ip_?address|device|cookie|user_?agent|tracking)", "a device of somebody"),
    (
        r"(description|comment|(^|_)notes?|remark|message|(^|_)bio$|about$|feedback)",
        "free text, in which people write about people",
    ),
)
_TYPES: Mapping[str, str] = {
    "email": "its type is e-mail",
    "phone": "its type is phone",
    "address": "its type is address",
    "location": "its type is a place",
    "url": "its type is a web address, and may be a profile's",
    "textarea": "it is free text, in which people write about people",
    "encryptedstring": "Salesforce keeps it encrypted",
    "anytype": "it can hold anything",
}
_CONTENT: Mapping[str, str] = {
    "email": "look like e-mail addresses",
    "mentions_email": "have an e-mail address in them",
    "phone": "look like phone numbers",
    "ip": "look like IP addresses",
    "iban": "look like IBANs",
    "card": "look like card numbers",
    "national_id": "look like national identity numbers",
    "name": "have the record's own name in them",
}
_PLAIN_TYPES: Mapping[str, str] = {
    "boolean": "it is yes or no",
    "picklist": "it is one of a list of values",
    "multipicklist": "it is some of a list of values",
    "int": "it is a number",
    "long": "it is a number",
    "double": "it is a number",
    "percent": "it is a share",
    "currency": "it is an amount",
    "date": "it is a day, and its name speaks of no birthday",
    "datetime": "it is a time",
    "time": "it is a time of day",
}
_PEOPLE = frozenset({"Contact", "Lead", "User", "Individual", "Person", "Name"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldContent:
    """Count what a sample of a field's values looks like."""

    filled: int
    looks_like: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Hold what is suggested, and why, in words."""

    personal: bool
    reason: str


def suggest(
    object: str,
    name: str,
    *,
    label: str = "",
    type: str,
    reference_to: tuple[str, ...] = (),
    content: FieldContent | None = None,
) -> Suggestion | None:
    """Return what to suggest about a field; None where nothing speaks for either.

    Args:
        object: API name of its object.
        name: its API name.
        label: what people call it.
        type: Salesforce's word for its type.
        reference_to: the objects that it may lead to.
        content: what its values look like, if anybody looked.
    """
    reasons = [_TYPES[type]] if type in _TYPES else []
    reasons += _by_content(content)
    said = _by_name(name, label)
    if said and (type != "boolean" or "protects" in said or "who" in said):
        reasons.append(f"its name speaks of {said}")
    if name == "Name" and object in _PEOPLE:
        reasons.append("it is the name of a person")
    people = [each for each in reference_to if each in _PEOPLE]
    if people:
        reasons.append(f"it leads to a person ({people[0]})")
    if reasons:
        return Suggestion(personal=True, reason="; ".join(reasons))
    return _plain(object, name, type, reference_to)


def _plain(object: str, name: str, type: str, reference_to: tuple[str, ...]) -> Suggestion | None:
    if type in _PLAIN_TYPES:
        return Suggestion(personal=False, reason=_PLAIN_TYPES[type])
    if type == "reference" and reference_to:
        return Suggestion(personal=False, reason=f"it leads to {' or '.join(reference_to[:2])}, which is nobody")
    if name == "Name" and object == "Account":
        return Suggestion(personal=False, reason="it is the name of a company")
    return None


def _by_name(name: str, label: str) -> str:
    """Return what a field's name or label speaks of."""
    words = [re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.removesuffix("__c").removesuffix("__pc")).lower()]
    words.append(re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_"))
    return next((said for pattern, said in _NAMES if any(re.search(pattern, each) for each in words)), "")


def _by_content(content: FieldContent | None) -> list[str]:
    if content is None or content.filled < MIN_FILLED:
        return []
    found = []
    for kind, words in _CONTENT.items():
        share = content.looks_like.get(kind, 0) / content.filled
        if share >= _SHARE:
            found.append(f"{share:.0%} of {content.filled:,} sampled values {words}")
    return found

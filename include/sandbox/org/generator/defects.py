"""The defects that are planted, so that their truth is known by Id.

A record draws a number below 10,000 once; the draw decides which defect it has, so that no record has two planted ones
and every defect's records are exactly those that were planted. Some draws make a pair with the record before, which
must be clean: a duplicate of its person, or somebody who only looks like a duplicate.
"""

from __future__ import annotations

from dataclasses import dataclass

from include.sandbox.org.generator.dice import Dice


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """Name a planted defect of an object and the draws that mean it, in hundredths of a percent.

    A pair needs another record; `possible` is the share of those records that it can be made with.
    """

    object: str
    name: str
    share: int
    meaning: str
    pair: bool = False
    different: bool = False  # a pair of two: no defect, but a trap
    possible: float = 1.0

    @property
    def draws(self) -> int:
        """Return how many of 10,000 draws mean it; the hard ones to make get more of them."""
        return round(self.share / self.possible)


# Of all duplicates of contacts: so many in a hundred are of this kind.
CONTACT_TWINS = {"email": 20, "phone": 20, "typo": 20, "nickname": 15, "swapped": 5, "moved": 20}
LOOKALIKES = {"household": 25, "same_name": 25, "role_mailbox": 20, "switchboard": 20, "generations": 10}
_PAIRS = 800  # duplicates of contacts, and as many who are none
_NICKNAMED = 23 / 48  # first names of the vocabulary that have a short form; a test holds it to the vocabulary


def _twin(kind: str, meaning: str, possible: float = 1.0) -> Defect:
    share = _PAIRS * CONTACT_TWINS[kind] // 100
    name = f"contact_duplicate_{kind}"
    return Defect(object="Contact", name=name, share=share, meaning=meaning, pair=True, possible=possible)


def _lookalike(kind: str, meaning: str, possible: float = 1.0) -> Defect:
    share = _PAIRS * LOOKALIKES[kind] // 100
    return Defect(
        object="Contact", name=f"not_duplicate_{kind}", share=share, meaning=meaning, pair=True, different=True,
        possible=possible,
    )  # fmt: skip


DEFECTS = (
    Defect(object="Account", name="account_without_website", share=300, meaning="Website is empty"),
    Defect(object="Account", name="account_duplicate", share=150, meaning="Name and Website of its twin, respelt",
           pair=True),
    Defect(object="Account", name="account_inactive_owner", share=150, meaning="the owner is an inactive user"),
    Defect(object="Account", name="account_test_record", share=30, meaning="a test record"),
    Defect(object="Account", name="account_invalid_phone", share=150, meaning="Phone is no telephone number"),
    Defect(object="Account", name="account_name_in_capitals", share=100, meaning="Name is written in capitals"),
    _twin("email", "name and Email of its twin, respelt"),
    _twin("phone", "name of its twin, its Phone in another format, another Email", possible=0.92),
    _twin("typo", "name of its twin with a typing error, at the same account and address"),
    _twin("nickname", "short or long form of its twin's first name, same Phone and account", possible=_NICKNAMED),
    _twin("swapped", "first and last name of its twin in each other's place, same Phone and account"),
    _twin("moved", "its twin at another account: new Email and Phone, same MobilePhone", possible=0.6),
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
    Defect(object="Lead", name="lead_duplicates_contact", share=130, meaning="name and Email of a contact, respelt",
           pair=True, possible=0.65),
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

NOT_DUPLICATES = (
    _lookalike("household", "another first name: one family with one Phone and one address", possible=0.92),
    _lookalike("same_name", "two people of one name at one account, born on different days", possible=0.4),
    _lookalike("role_mailbox", "two people at one account who share a mailbox such as info@"),
    _lookalike("switchboard", "two people at one account who share its switchboard number", possible=0.92),
    _lookalike("generations", "parent and child of one name at one address, born decades apart", possible=0.4),
)

# What several kinds have in common can be asked for at once.
UNIONS = {"contact_duplicate": tuple(each.name for each in DEFECTS if each.name.startswith("contact_duplicate_"))}


def of_object(name: str) -> list[Defect]:
    """Return the defects of an object; a defect's bit is its place in this list."""
    return [each for each in (*DEFECTS, *NOT_DUPLICATES) if each.object == name]


def bit(defect: Defect) -> int:
    """Return the bit that marks a defect in `_defects`."""
    return 1 << of_object(defect.object).index(defect)


def find(name: str) -> Defect | None:
    """Return the defect of this name, or None."""
    return next((each for each in (*DEFECTS, *NOT_DUPLICATES) if each.name == name), None)


def has_sql(*names: str) -> str:
    """Return the condition that a row of the generator, whose mark is `d`, has one of these defects."""
    found = [find(name) for name in names]
    assert all(found), names
    bits = [str(bit(each)) for each in found if each]
    return f"d = {bits[0]}" if len(bits) == 1 else f"d IN ({', '.join(bits)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Make the expressions of which record has which defect."""

    object: str
    dice: Dice

    def draw(self, subject: str = "n") -> str:
        """Return the draw of a record."""
        return self.dice.roll(1, 10_000, subject)

    def clean(self, subject: str) -> str:
        """Return the condition that another record drew no defect at all."""
        return f"({self.draw(subject)} >= {sum(each.draws for each in of_object(self.object))})"

    def drew(self, name: str, subject: str) -> str:
        """Return the condition that another record drew this defect."""
        below = 0
        for each in of_object(self.object):
            if each.name == name:
                return f"({self.draw(subject)} BETWEEN {below} AND {below + each.draws - 1})"
            below += each.draws
        raise KeyError(name)

    def mark(self, pairable: str, needs: dict[str, str]) -> str:
        """Return the expression of `_defects` over the draw `r`; a pair needs a record that it can be made with."""
        branches, below = [], 0
        for each in of_object(self.object):
            below += each.draws
            needed = f"CASE WHEN {pairable} AND {needs.get(each.name, 'TRUE')} THEN {bit(each)} ELSE 0 END"
            branches.append(f"WHEN r < {below} THEN {needed if each.pair else bit(each)}")
        return f"CASE {' '.join(branches)} ELSE 0 END" if branches else "0"

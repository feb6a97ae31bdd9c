"""What people do with accounts, contacts and leads."""

from __future__ import annotations

from include.sandbox.org.generator import defects
from include.sandbox.org.life import words
from include.sandbox.org.life.hand import Hand, outcome
from include.sandbox.org.life.settings import Outcome
from include.sandbox.org.writing import LeadConvert, convert_leads, merge_records

# Records with planted defects keep those fields by which the defects are known.
_CLEAN = "_defects = 0"
_OPEN_LEAD = 'NOT "IsConverted"'
_FLOCK = (25, 200)


def edit_contact(hand: Hand) -> Outcome:
    """Note something about a contact."""
    found = hand.one("Contact")
    if found is None:
        return Outcome(kind="edit_contact")
    row = {
        "Title": hand.dice.choice(words.TITLES),
        "Department": hand.dice.choice(words.DEPARTMENTS),
        "Description": hand.dice.choice((*words.NOTES, None)),
    }
    return hand.update("edit_contact", "Contact", [{"Id": found[0], **row}])


def edit_account(hand: Hand) -> Outcome:
    """Learn more about a company."""
    found = hand.one("Account", fields='"Id", "NumberOfEmployees"')
    if found is None:
        return Outcome(kind="edit_account")
    row = {
        "NumberOfEmployees": (found[1] or 0) + hand.dice.randint(1, 30),
        "Rating": hand.dice.choice(("Hot", "Warm", "Cold")),
        "Site": hand.dice.choice(("Headquarters", "Plant 2", "Branch office", None)),
    }
    return hand.update("edit_account", "Account", [{"Id": found[0], **row}])


def work_lead(hand: Hand) -> Outcome:
    """Get further with a lead, or give it up."""
    found = hand.one("Lead", _OPEN_LEAD)
    if found is None:
        return Outcome(kind="work_lead")
    status = hand.dice.choices(("Working - Contacted", "Closed - Not Converted"), (4, 1))[0]
    row = {"Status": status, "Rating": hand.dice.choice(("Hot", "Warm", "Cold"))}
    return hand.update("work_lead", "Lead", [{"Id": found[0], **row}])


def create_contact(hand: Hand) -> Outcome:
    """Meet somebody new at a known company."""
    account = hand.one("Account", _CLEAN)
    row = words.person(hand.dice, hand.next_number("Contact"))
    return hand.insert("create_contact", "Contact", row | ({"AccountId": account[0]} if account else {}))


def create_account(hand: Hand) -> Outcome:
    """Find a company."""
    return hand.insert("create_account", "Account", words.company(hand.dice, hand.next_number("Account")))


def create_lead(hand: Hand) -> Outcome:
    """Get to know of somebody."""
    number = hand.next_number("Lead")
    row = words.person(hand.dice, number) | {
        "Email": f"lead.{number}@example.com",
        "Company": words.company(hand.dice, number)["Name"],
        "LeadSource": hand.dice.choice(("Web", "Phone Inquiry", "Partner Referral")),
    }
    return hand.insert("create_lead", "Lead", row)


def convert_lead(hand: Hand) -> Outcome:
    """Make a lead an account, a contact and, mostly, a deal."""
    found = hand.one("Lead", f"{_OPEN_LEAD} AND {_CLEAN}")
    if found is None:
        return Outcome(kind="convert_lead")
    wanted = LeadConvert(
        lead_id=found[0], converted_status="Closed - Converted", do_not_create_opportunity=hand.dice.random() < 0.25
    )
    return outcome("convert_lead", convert_leads(hand.org, [wanted], hand.writer))


def merge_duplicates(hand: Hand) -> Outcome:
    """Merge a contact into the one that it doubles."""
    doubles = sum(defects.bit(each) for each in defects.of_object("Contact") if each.pair and not each.different)
    there = '(SELECT 1 FROM "Contact" m WHERE m."Id" = t._twin AND NOT m."IsDeleted")'
    found = hand.one("Contact", f"(_defects & {doubles}) <> 0 AND EXISTS {there}", fields='"Id", _twin')
    if found is None:
        return Outcome(kind="merge_duplicates")
    loser, master = found
    merged = merge_records(hand.org, hand.target("Contact"), {"Id": master}, [loser], hand.writer)
    return outcome("merge_duplicates", [merged])


def hand_over_leads(hand: Hand) -> Outcome:
    """Give many leads to another owner at once, as after somebody left."""
    count = hand.dice.randint(*_FLOCK)
    found = hand.draw("Lead", f"{_OPEN_LEAD} AND {_CLEAN}", count=count)
    rows = [{"Id": each[0], "OwnerId": hand.writer.user_id} for each in found]
    return hand.update("mass_update", "Lead", rows)

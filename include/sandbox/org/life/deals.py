"""What people do with deals and tasks, and what they throw away and fetch back."""

from __future__ import annotations

from include.sandbox.org.life import words
from include.sandbox.org.life.hand import Hand, outcome
from include.sandbox.org.life.settings import Outcome
from include.sandbox.org.writing import delete_records, undelete_records

_CLEAN = "_defects = 0"
_STAGES = (
    "Prospecting", "Qualification", "Needs Analysis", "Value Proposition", "Id. Decision Makers",
    "Perception Analysis", "Proposal/Price Quote", "Negotiation/Review",
)  # fmt: skip
_OPEN_DEAL = "\"StageName\" NOT LIKE 'Closed%'"
_WON, _LOST = "Closed Won", "Closed Lost"
# What nobody else points to as the original of a planted duplicate.
_LONELY = {
    "Task": "TRUE",
    "Lead": '_defects = 0 AND NOT "IsConverted"',
    "Opportunity": _CLEAN,
    "Contact": (
        '_defects = 0 AND NOT EXISTS (SELECT 1 FROM "Contact" d WHERE d._twin = t."Id")'
        ' AND NOT EXISTS (SELECT 1 FROM "Lead" d WHERE d._twin = t."Id")'
    ),
}
_THROWN_AWAY = {"Task": 10, "Lead": 5, "Opportunity": 3, "Contact": 2}


def create_deal(hand: Hand) -> Outcome:
    """Begin a deal with a company."""
    account = hand.one("Account", _CLEAN, fields='"Id", "Name"')
    if account is None:
        return Outcome(kind="create_deal")
    row = {
        "AccountId": account[0],
        "Name": f"{account[1][:80]} - {hand.dice.choice(words.TRADES)} {hand.next_number('Opportunity')}",
        "StageName": _STAGES[0],
        "Amount": hand.dice.randrange(1_000, 250_000, 500),
        "CloseDate": hand.day(hand.dice.randint(20, 180)),
    }
    return hand.insert("create_deal", "Opportunity", row)


def move_stage(hand: Hand) -> Outcome:
    """Bring a deal a step further, or to its end."""
    found = hand.one("Opportunity", f"{_OPEN_DEAL} AND {_CLEAN}", fields='"Id", "StageName"')
    if found is None:
        return Outcome(kind="move_stage")
    place = _STAGES.index(found[1]) if found[1] in _STAGES else 0
    following = _STAGES[place + 1] if place + 1 < len(_STAGES) else _WON
    if hand.dice.random() < 0.15:
        following = hand.dice.choice((_WON, _LOST))
    row = {"Id": found[0], "StageName": following, "NextStep": hand.dice.choice(words.NEXT_STEPS)}
    if following in (_WON, _LOST):
        row |= {"CloseDate": hand.day(), "NextStep": None}
    return hand.update("move_stage", "Opportunity", [row])


def edit_deal(hand: Hand) -> Outcome:
    """Change what a deal is worth."""
    found = hand.one("Opportunity", f"{_OPEN_DEAL} AND {_CLEAN}")
    if found is None:
        return Outcome(kind="edit_deal")
    row = {"Id": found[0], "Amount": hand.dice.randrange(1_000, 250_000, 500)}
    return hand.update("edit_deal", "Opportunity", [row])


def log_task(hand: Hand) -> Outcome:
    """Write down a call, or what has to be done."""
    who = hand.one("Contact")
    done = hand.dice.random() < 0.6
    row = {
        "Subject": hand.dice.choice(words.SUBJECTS),
        "Status": "Completed" if done else "Not Started",
        "Priority": hand.dice.choice(("High", "Normal", "Normal", "Low")),
        "ActivityDate": hand.day(0 if done else hand.dice.randint(1, 14)),
        "Description": hand.dice.choice((*words.NOTES, None)),
    }
    return hand.insert("log_task", "Task", row | ({"WhoId": who[0]} if who else {}))


def complete_task(hand: Hand) -> Outcome:
    """Tick something off."""
    found = hand.one("Task", "\"Status\" <> 'Completed'")
    if found is None:
        return Outcome(kind="complete_task")
    return hand.update("complete_task", "Task", [{"Id": found[0], "Status": "Completed"}])


def throw_away(hand: Hand) -> Outcome:
    """Delete a record that nobody needs."""
    name = hand.dice.choices(tuple(_THROWN_AWAY), tuple(_THROWN_AWAY.values()))[0]
    found = hand.one(name, _LONELY[name])
    if found is None:
        return Outcome(kind="delete")
    return outcome("delete", delete_records(hand.org, [found[0]], hand.writer))


def fetch_back(hand: Hand) -> Outcome:
    """Restore a deleted record."""
    name = hand.dice.choices(tuple(_THROWN_AWAY), tuple(_THROWN_AWAY.values()))[0]
    merged = "TRUE" if hand.target(name).field("MasterRecordId") is None else '"MasterRecordId" IS NULL'
    found = hand.draw(name, merged, deleted=True)
    if not found:
        return Outcome(kind="restore")
    return outcome("restore", undelete_records(hand.org, [found[0][0]], hand.writer))

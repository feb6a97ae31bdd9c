"""What people in the org write: the names of those they meet, and what they note."""

from __future__ import annotations

import random

FIRST = (
    "Amara", "Anika", "Bruno", "Camille", "Daniel", "Elif", "Emma", "Farid", "Giulia", "Hana", "Ines", "Jonas",
    "Kofi", "Laura", "Mateo", "Mina", "Nils", "Olga", "Priya", "Rafael", "Sofia", "Tomasz", "Yuki", "Zoe",
)  # fmt: skip
LAST = (
    "Abbasi", "Andersen", "Bauer", "Costa", "Demir", "Dubois", "Evans", "Fischer", "Garcia", "Haddad", "Ito", "Jansen",
    "Kowalski", "Lindqvist", "Martin", "Mensah", "Novak", "Okafor", "Petrov", "Rossi", "Sharma", "Silva", "Weber",
)  # fmt: skip
TITLES = (
    "Head of Procurement", "IT Manager", "Chief Financial Officer", "Office Manager", "VP Sales", "Data Engineer",
    "Buyer", "Managing Director", "Marketing Lead", "Project Manager",
)  # fmt: skip
DEPARTMENTS = ("Purchasing", "IT", "Finance", "Sales", "Marketing", "Operations", "Legal")
COMPANIES = ("Harbor", "Northwind", "Solaris", "Vertex", "Bluefield", "Cascade", "Meridian", "Orchard", "Pioneer")
TRADES = ("Logistics", "Foods", "Systems", "Energy", "Textiles", "Consulting", "Instruments")
SUBJECTS = ("Call", "Send Quote", "Send Letter", "Follow up on the offer", "Prepare demo", "Check references")
NEXT_STEPS = ("Send revised offer", "Wait for budget", "Meet the board", "Clarify contract terms", "Plan the pilot")
NOTES = (
    "Met at the fair, wants to see the new line.\nCall again in spring.",
    'Said: "not before the budget round".',
    "Prefers e-mail; on holiday until Monday",
    "Asked for references, = see the list",
)


def person(dice: random.Random, number: int) -> dict[str, str]:
    """Return somebody new; the number keeps mail address and phone to this person alone."""
    first, last = dice.choice(FIRST), dice.choice(LAST)
    return {
        "FirstName": first,
        "LastName": last,
        "Email": f"{first}.{last}.{number}@example.com".lower(),
        "Phone": f"+49 30 {2_000_000 + number}",
        "Title": dice.choice(TITLES),
    }


def company(dice: random.Random, number: int) -> dict[str, str]:
    """Return a company that is new."""
    name = f"{dice.choice(COMPANIES)} {dice.choice(TRADES)}"
    return {"Name": f"{name} {number}", "Website": f"www.{name.replace(' ', '-').lower()}-{number}.example"}

"""Which org this is: its Id comes from the seed, so that two sandboxes are two orgs to whoever reads both."""

from __future__ import annotations

from include.sandbox.org.credentials import ORG_ID
from include.sandbox.org.ids import NUMBERS
from include.sandbox.org.store.database import Database

_STRIDE = 387_420_489  # 3 ** 18 shares no factor with 62 ** 5: every seed below that gets a number of its own


def org_number(seed: int) -> int:
    """Return the number inside the Id of the org of a seed; seed 1 has number 1."""
    return (1 + (seed - 1) * _STRIDE) % NUMBERS


def org_id_in(database: Database) -> str:
    """Return the Id of the org that a store holds, which is the Id of its Organization record."""
    rows = database.rows('SELECT "Id" FROM "Organization" LIMIT 1')
    return str(rows[0][0]) if rows else ORG_ID

"""Say in words what a comparison with the org found; pure."""

from __future__ import annotations

from include.config.orgs import OrgDefinition
from include.warehouse.extracts.reconciliations import Reconciliation


def in_words(found: Reconciliation) -> str:
    """Return one sentence about what a comparison found and did."""
    parts = [
        (found.missing, "missing here"),
        (found.stale, "older here"),
        (found.vanished, "gone from the org"),
        (found.recalculated, "with formulas that had changed"),
        (found.rejected, "rejected"),
        (found.remaining, "still different"),
    ]
    told = ", ".join(f"{count:,} {words}" for count, words in parts if count)
    return f"{found.in_org:,} records in the org; {told or 'all of them the same here'}"


def quarantine_words(org: OrgDefinition, found: Reconciliation) -> str:
    """Return why nothing was marked as deleted, and what to do."""
    return (
        f"{found.vanished:,} records of {found.object} are in the warehouse and neither among the {found.in_org:,} of"
        f" the org {org.org} nor in its recycle bin: more than the {org.max_vanished_share:.0%} of max_vanished_share."
        " Nothing was marked as deleted. If the user of the connection lost rights or sharing, or the sandbox was"
        " refreshed, mend that; if the records were really purged, trigger this DAG with"
        f" {found.vanished} at 'Accept what vanished'"
    )

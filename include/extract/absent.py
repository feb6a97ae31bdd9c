"""Find what is gone from objects and queries that each run reads whole: it is what did not come."""

from __future__ import annotations

from sqlalchemy import Connection

from include.config.orgs import OrgDefinition
from include.extract.disappearance import too_many
from include.extract.queries import reads_all
from include.records import RowCounts
from include.warehouse.loading.load import count_absent, mark_absent
from include.warehouse.tables import Table


def mark_what_is_gone(
    connection: Connection, org: OrgDefinition, table: Table, counts: RowCounts, *, run_id: int, straight: bool
) -> tuple[RowCounts, str]:
    """Mark what did not come with all there is; return the counts of it, and a warning if it was too much to be marked.

    Runs in the transaction of the load. What was rejected did come, so after rejects nothing is marked.
    """
    if straight or counts.rejected or not reads_all(org, table):
        return RowCounts(), ""
    query = org.query(table.object)
    share = org.max_vanished_share
    if query and query.max_vanished_share is not None:
        share = query.max_vanished_share
    here, absent = count_absent(connection, table)
    if too_many(absent, of=here, max_share=share):
        return RowCounts(), (
            f"{absent:,} of {here:,} rows did not come any more, above the {share:.0%} of max_vanished_share: they"
            " are kept. Look whether the connection's user lost rights; if they are to go, raise the share for one run"
        )
    marked = mark_absent(connection, table, run_id) if absent else 0
    return RowCounts(read=marked, updated=marked, deleted=marked), ""

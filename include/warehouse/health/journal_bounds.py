"""Stop journals that nobody reads: each change would be written down for ever where health is paused."""

from __future__ import annotations

from sqlalchemy import Engine, text

from include.errors import TableBusy
from include.warehouse.engine import transaction
from include.warehouse.health.journals import stop_journal
from include.warehouse.locks import ASSESSMENT, object_lock

# Below this nobody misses the room; above, a journal of half its object's size says that too much changed to look at
# single records.
_LEAST_BYTES = 64 * 2**20


def stop_unread_journals(engine: Engine, days: int | None, *, least_bytes: int = _LEAST_BYTES) -> int:
    """Stop the journals that grew too large, or that no assessment read for so many days; return how many.

    The next assessment reads such an object whole and begins its journal anew. One of an org that is assessed, or of
    an object that is loaded just now, is left to the next time.
    """
    with transaction(engine) as connection:
        unread = connection.execute(text(_UNREAD), {"days": days, "least": least_bytes}).all()
    return sum(_stop(engine, journal.journal_id, journal.org) for journal in unread)


def _stop(engine: Engine, journal_id: int, org: str) -> bool:
    with object_lock(engine, org, ASSESSMENT, wait=False) as lock:
        if not lock:
            return False
        try:
            with transaction(engine) as connection:
                stop_journal(connection, journal_id)
        except TableBusy:
            return False
    return True


_UNREAD = """
SELECT journal_id, org
FROM headwater.journal AS j, to_regclass('headwater.journal_' || journal_id) AS written,
     to_regclass(format('%I.%I', 'salesforce_' || org, object)) AS of_object
WHERE written IS NOT NULL
  AND (pg_table_size(written) > greatest(:least, pg_table_size(of_object) / 2)
       OR (CAST(:days AS integer) IS NOT NULL
           AND NOT EXISTS (SELECT FROM headwater.assessment AS a WHERE a.org = j.org
                           AND a.assessed_at > now() - make_interval(days => CAST(:days AS integer)))))
ORDER BY journal_id"""

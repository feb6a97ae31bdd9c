"""Narrow a difference between two counts down, by ranges of Ids, to the records that make it, and read just those.

Both sides are counted in a few ranges; the ranges that differ are cut again, until the Ids of one fit into a page.
Costs one call for up to five ranges, one page for each range that is listed, and one call for the records.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine

from include.extract.ask import batches
from include.extract.disappearance import too_many
from include.extract.listing import read_by_id
from include.records import Bounds
from include.salesforce.client import SalesforceClient
from include.salesforce.composite import MOST_QUERIES, count_in
from include.salesforce.soql import condition, count_before, select_all, select_ids
from include.warehouse.engine import transaction
from include.warehouse.extracts.id_ranges import count_in_ranges, cut_range, ids_in_range, known_ids, mark_purged
from include.warehouse.loading.load import load_rows
from include.warehouse.locks import object_lock
from include.warehouse.tables import Table

LISTED_AT_MOST = 2000  # Ids: a page of REST
_PARTS = MOST_QUERIES
# A difference that needs more than this is no matter of a few records: the nightly comparison of all Ids is cheaper.
_MOST_COUNTS = 40
_MOST_RECORDS = 2000
_IDS_OF_A_QUESTION = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Say which records of an object were counted on both sides."""

    table: Table
    as_of: datetime  # created before
    where: tuple[str, ...] = ()  # further conditions of the org's count: the filter, archived records
    all_rows: bool = False  # it was counted by queryAll


@dataclass(slots=True, kw_only=True)
class Mended:
    """Say what was found behind a difference, and what became of it."""

    missing: int = 0  # they were not here, and have been read
    read_again: int = 0  # they were here otherwise than the org counts them, and have been read
    purged: int = 0  # the org knows them no more; they are marked as deleted
    kept: int = 0  # as many more, too large a share to be believed at once

    @property
    def in_words(self) -> str:
        """Return what was done, or ""."""
        done = [
            (self.missing, "missing found by their Ids and read"),
            (self.read_again, "read again"),
            (self.purged, "gone from the org and marked as deleted"),
            (self.kept, "gone from the org and kept: so many at once wait for the nightly comparison"),
        ]
        return ", ".join(f"{count:,} {words}" for count, words in done if count)


@dataclass(slots=True)
class _Search:
    engine: Engine
    client: SalesforceClient
    counted: Counted
    counts: int = 0
    wanted: dict[str, bool] = field(default_factory=dict)  # Id: is it here

    @property
    def exhausted(self) -> bool:
        return self.counts > _MOST_COUNTS or len(self.wanted) > _MOST_RECORDS


def mend_difference(
    engine: Engine,
    client: SalesforceClient,
    counted: Counted,
    *,
    run_id: int,
    max_vanished_share: float,
    sleep: Callable[[float], None],
) -> Mended | None:
    """Find the records behind a difference and read just those; None when they are too many, or another run reads.

    Raises:
        FatalError, RetryableError: from the client; nothing was changed.
    """
    table = counted.table
    with object_lock(engine, table.org, table.object, wait=False) as held:
        search = _Search(engine, client, counted)
        if not held or not _found(search):
            return None
        return _read(search, run_id, max_vanished_share, sleep)


def _found(search: _Search) -> bool:
    """Fill in the Ids that only one side counts; False when there are too many to be looked for like this."""
    suspects = [Bounds()]
    while suspects:
        narrower: list[Bounds] = []
        for suspect in suspects:
            with transaction(search.engine) as connection:
                parts = cut_range(
                    connection, search.counted.table, suspect, _PARTS, created_before=search.counted.as_of
                )
                here = count_in_ranges(connection, search.counted.table, parts, created_before=search.counted.as_of)
            for part, ours, theirs in zip(parts, here, _counts_there(search, parts), strict=True):
                if ours == theirs:
                    continue
                if abs(ours - theirs) > _MOST_RECORDS:
                    return False  # hidden from our user, as a rule: their Ids may be millions, and are not held here
                if theirs <= LISTED_AT_MOST:
                    _list(search, part)
                elif len(parts) > 1:
                    narrower.append(part)
                else:  # nothing here to cut it by: far more is missing than a few records
                    return False
        if search.exhausted:
            return False
        suspects = narrower
    return bool(search.wanted)


def _counts_there(search: _Search, parts: Sequence[Bounds]) -> list[int]:
    counted, found = search.counted, []
    for batch in batches(parts, MOST_QUERIES):
        requests = [
            search.client.count_request(
                count_before(counted.table.object, counted.as_of, where=[*counted.where, *_within(part)]),
                f"range{n}",
                object=counted.table.object,
                all_rows=counted.all_rows,
            )
            for n, part in enumerate(batch)
        ]
        found += [count_in(each) for each in search.client.composite(requests, purpose="count")]
        search.counts += 1
    return found


def _list(search: _Search, part: Bounds) -> None:
    """Compare the Ids of a range one by one."""
    counted = search.counted
    created = condition("CreatedDate", "<", counted.as_of)
    soql = select_all(counted.table.object, ["Id"], where=[created, *counted.where, *_within(part)])
    pages = search.client.query_pages(soql, all_rows=counted.all_rows, purpose="count", object=counted.table.object)
    there = {str(record["Id"]) for page in pages for record in page.records}
    search.counts += 1
    with transaction(search.engine) as connection:
        here = ids_in_range(connection, counted.table, part, created_before=counted.as_of)
    search.wanted |= dict.fromkeys(there - here, False) | dict.fromkeys(here - there, True)


def _read(search: _Search, run_id: int, max_share: float, sleep: Callable[[float], None]) -> Mended:
    table, found = search.counted.table, Mended()
    missing = sorted(key for key, is_here in search.wanted.items() if not is_here)
    surplus = sorted(key for key, is_here in search.wanted.items() if is_here)
    shown = _shown(search, surplus)
    gone = [key for key in surplus if key not in shown]
    with transaction(search.engine) as connection:
        wanted = [*missing, *sorted(shown)]
        for page in read_by_id(search.client, table, wanted, sleep=sleep) if wanted else ():
            page.check(load_rows(connection, table, page.source, run_id=run_id).read)
        found.missing = len(known_ids(connection, table, missing))
        found.read_again = len(shown)
        before = count_in_ranges(connection, table, [Bounds()], created_before=search.counted.as_of)[0]
        if too_many(len(gone), of=before, max_share=max_share):
            found.kept = len(gone)
        else:
            found.purged = mark_purged(connection, table, gone, run_id)
    return found


def _shown(search: _Search, record_ids: Sequence[str]) -> set[str]:
    """Return which of these Ids the org still shows, deleted or not."""
    found: set[str] = set()
    for batch in batches(record_ids, _IDS_OF_A_QUESTION):
        soql = select_ids(search.counted.table.object, ["Id"], batch)
        pages = search.client.query_pages(soql, all_rows=True, purpose="count", object=search.counted.table.object)
        found |= {str(record["Id"]) for page in pages for record in page.records}
    return found


def _within(part: Bounds) -> list[str]:
    low = [condition("Id", ">=", part.id_from)] if part.id_from else []
    return low + ([condition("Id", "<", part.id_below)] if part.id_below else [])

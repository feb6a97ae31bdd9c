"""Name in the audit trail to whom people's values were shown, without a value, before they are shown.

A program leaves a line for each request, a person who looks at a page one for each page and hour. Who is shown masks
leaves none. If the line cannot be written, the values are not shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Engine

from include.record_ids import whole_id
from include.warehouse.engine import transaction
from include.warehouse.personal.audit import READ, write_audit, write_seen
from include.warehouse.personal.fields import personal_fields


def note_read(
    engine: Engine,
    org: str,
    object: str,
    *,
    who: str,
    record_ids: Sequence[str],
    fields: Iterable[str],
    page: str = "",
) -> None:
    """Write that somebody was shown records, if any of the fields whose values they were shown is personal.

    Args:
        engine: the warehouse.
        org: whose records.
        object: API name.
        who: the name by which the person is signed in.
        record_ids: the records, by Id.
        fields: the fields of which values were shown.
        page: our words for the page on which they stood; "": a program asked.
    """
    with transaction(engine) as connection:
        register = personal_fields(connection, org, (object,))
        count = sum(register.is_personal(object, each) for each in fields)
        if not count:
            return
        told = f"{', '.join(record_ids)}: {count:,} personal field{'' if count == 1 else 's'}, "
        if page:
            write_seen(connection, who=who, org=org, object=object, after=f"{told}on {page}")
        else:
            write_audit(connection, who=who, what=READ, org=org, object=object, after=f"{told}by the API")


def note_keys(engine: Engine, org: str, keys: Iterable[str], *, who: str, where: str) -> None:
    """Write that somebody was shown keys of rows that are no Ids, once an hour: such a key may be somebody's address.

    Args:
        engine: the warehouse.
        org: whose rows.
        keys: those that were shown, Ids among them.
        who: the name by which the person is signed in.
        where: our words for the page or the answer, e.g. "on the page Sync errors".
    """
    if all(whole_id(each) == each for each in keys):
        return
    with transaction(engine) as connection:
        write_seen(connection, who=who, org=org, object="", after=f"keys of rows, {where}")


def note_preview(engine: Engine, org: str, object: str, *, who: str, push: str, count: int) -> None:
    """Write that a person saw unmasked what a push would send of so many records; their keys may be addresses."""
    with transaction(engine) as connection:
        told = f"{count:,} record{'' if count == 1 else 's'}, by a preview of the push {push}"
        write_audit(connection, who=who, what=READ, org=org, object=object, after=told)

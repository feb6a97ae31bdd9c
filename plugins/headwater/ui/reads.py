"""Name in the audit trail who had a program or a preview show them people's values; a line a request, without values.

A page of one record or cluster is not noted: people look at some, a program at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Engine

from include.warehouse.audit import READ, write_audit
from include.warehouse.engine import transaction
from include.warehouse.personal_fields import personal_fields


def note_read(
    engine: Engine, org: str, object: str, *, who: str, record_ids: Sequence[str], fields: Iterable[str]
) -> None:
    """Write that a program read records, if any of the fields whose values it was shown is personal.

    Args:
        engine: the warehouse.
        org: whose records.
        object: API name.
        who: the name by which the person is signed in.
        record_ids: the records, by Id.
        fields: the fields of which values were shown.
    """
    with transaction(engine) as connection:
        register = personal_fields(connection, org, (object,))
        count = sum(register.is_personal(object, each) for each in fields)
        if count:
            what = f"{count:,} personal field{'' if count == 1 else 's'}"
            told = f"{', '.join(record_ids)}: {what}, by the API"
            write_audit(connection, who=who, what=READ, org=org, object=object, after=told)


def note_preview(engine: Engine, org: str, object: str, *, who: str, push: str, count: int) -> None:
    """Write that a person saw unmasked what a push would send of so many records; their keys may be addresses."""
    with transaction(engine) as connection:
        told = f"{count:,} record{'' if count == 1 else 's'}, by a preview of the push {push}"
        write_audit(connection, who=who, what=READ, org=org, object=object, after=told)

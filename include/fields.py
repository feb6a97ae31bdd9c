"""Say which fields of an object are read and kept, and by which of them changes are found; pure.

Who asks the org and who keeps the rows must decide alike, so both ask here.
"""

from __future__ import annotations

from include.records import Describe, Field

# Compound fields come in parts of their own (MailingCity …) and cannot be selected by Bulk API 2.0; base64 is a body
# that is fetched record by record; complexvalue has no text form.
LEFT_OUT = frozenset({"address", "location", "base64", "complexvalue"})
_CURSORS = ("SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime")


def fields_to_read(describe: Describe) -> tuple[Field, ...]:
    """Return the fields that are read into a column, in the org's order; not those that a policy holds back.

    Otherwise decided by type alone: ``compoundFieldName`` does not tell, because with person accounts Account.Name
    names itself.
    """
    return tuple(field for field in describe.fields if field.type not in LEFT_OUT and not field.held)


def cursor_field(describe: Describe) -> str | None:
    """Return the name of the field that tells when a record last changed, or None when the object has none.

    SystemModstamp comes first: it moves with changes of the system too, and nobody can set it back.
    """
    usable = {field.name for field in describe.fields if field.filterable and not field.held}
    return next((name for name in _CURSORS if name in usable), None)

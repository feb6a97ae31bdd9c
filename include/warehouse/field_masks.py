"""Say which fields of an object may be shown to everybody who is signed in; all others need the right to see people.

A field counts as personal unless it cannot be: the record's own Id, the stamps that the system sets, yes and no.
"""

from __future__ import annotations

MASK = "•••"
_SYSTEM_STAMPS = frozenset(
    {"CreatedDate", "LastModifiedDate", "SystemModstamp", "LastViewedDate", "LastReferencedDate"}
)


def is_personal(name: str, field_type: str) -> bool:
    """Return whether a field may hold what belongs to a person.

    Args:
        name: its API name.
        field_type: Salesforce's own word for its type; "" when it is not known.
    """
    if field_type == "id" or field_type == "boolean":
        return False
    return not (field_type == "datetime" and name in _SYSTEM_STAMPS)

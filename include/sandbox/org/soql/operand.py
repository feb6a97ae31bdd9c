"""What a condition, a group or an order looks at: an expression, and the kind of value it gives."""

from __future__ import annotations

from dataclasses import dataclass

from include.sandbox.org.schema.field import TEXT_TYPES, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Operand:
    """Hold an expression; `key` is the number column if it is the record's own Id."""

    sql: str
    type: str
    name: str
    key: str | None = None
    prefix: str = ""
    field: Field | None = None
    function: str = ""

    @property
    def folded(self) -> str:
        """Return the expression as it is compared: text without regard to case, unless its field says otherwise."""
        exact = self.type not in TEXT_TYPES or (self.field is not None and self.field.case_sensitive)
        return self.sql if exact else f"lower({self.sql})"

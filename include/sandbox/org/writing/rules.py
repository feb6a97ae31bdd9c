"""What an administrator can switch on: duplicate rules, validation rules, and the insert of audit fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from include.sandbox.org.refusals import Refusal

DUPLICATE_MODES = ("off", "alert", "block")


@dataclass(slots=True)
class Rules:
    """Hold the switches; all are off in a fresh org."""

    duplicates: str = "off"
    validation: bool = False
    audit_fields: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRule:
    """Hold one validation rule: a record that it finds wrong gets its message."""

    message: str
    fields: tuple[str, ...]  # where the message stands; none is the top of the page
    reads: tuple[str, ...]
    wrong: Callable[[Mapping[str, Any]], bool]

    def refusal(self) -> Refusal:
        """Return the refusal with the rule's message."""
        return Refusal(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", self.message, list(self.fields))


VALIDATION_RULES: dict[str, tuple[ValidationRule, ...]] = {
    "Contact": (
        ValidationRule(
            message="A contact needs an e-mail address or a phone number.",
            fields=(),
            reads=("Email", "Phone", "MobilePhone"),
            wrong=lambda row: not (row.get("Email") or row.get("Phone") or row.get("MobilePhone")),
        ),
    ),
    "Opportunity": (
        ValidationRule(
            message="A deal that is won needs an amount.",
            fields=("Amount",),
            reads=("StageName", "Amount"),
            wrong=lambda row: row.get("StageName") == "Closed Won" and not row.get("Amount"),
        ),
    ),
}

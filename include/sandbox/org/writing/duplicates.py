"""The duplicate rules of contacts and leads: one e-mail address, one person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.writing.drafts import Draft, good
from include.sandbox.org.writing.lookups import holders
from include.sandbox.org.writing.results import Writer

if TYPE_CHECKING:
    from include.sandbox.org.org import Org

_RULED = ("Contact", "Lead")
_MESSAGE = "Use one of these records?"


class DuplicatesDetected(Refusal):
    """Carry the records that a new one would double."""

    def __init__(self, target: SObject, ids: Sequence[str], *, allow_save: bool, version: str) -> None:
        super().__init__(400, "DUPLICATES_DETECTED", _MESSAGE, [])
        self.target = target
        self.ids = tuple(ids)
        self.allow_save = allow_save
        self.url = f"/services/data/v{version}/sobjects/{target.name}"

    def result(self) -> dict[str, Any]:
        """Return the DuplicateResult."""
        matches = [
            {
                "additionalInformation": [],
                "fieldDiffs": [],
                "matchConfidence": 100.0,
                "record": {"attributes": {"type": self.target.name, "url": f"{self.url}/{each}"}, "Id": each},
            }
            for each in self.ids
        ]
        return {
            "allowSave": self.allow_save,
            "duplicateRule": f"Standard_{self.target.name}_Duplicate_Rule",
            "duplicateRuleEntityType": self.target.name,
            "errorMessage": _MESSAGE,
            "matchResults": [
                {
                    "entityType": self.target.name,
                    "errors": [],
                    "matchEngine": "ExactMatchEngine",
                    "matchRecords": matches,
                    "rule": f"Standard_{self.target.name}_Match_Rule_v1_0",
                    "size": len(matches),
                    "success": True,
                }
            ],
        }

    def body(self) -> list[dict[str, Any]]:
        """Return the error array of the REST API."""
        return [{"duplicateResult": self.result(), "errorCode": self.code, "message": self.message}]


def check_duplicates(org: Org, target: SObject, drafts: Sequence[Draft], writer: Writer) -> None:
    """Refuse drafts whose e-mail address another record has, if the rule is on and nobody allowed it."""
    mode = org.rules.duplicates
    if target.name not in _RULED or mode == "off" or (mode == "alert" and writer.allow_duplicates):
        return
    field = target.by_name["email"]
    written = [each for each in good(drafts) if each.values.get("Email")]
    found = holders(org, target, field, [each.values["Email"] for each in written]) if written else {}
    for draft in written:
        others = [each for each in found.get(draft.values["Email"].lower(), ()) if each != draft.id]
        if others:
            draft.refuse(DuplicatesDetected(target, others, allow_save=mode == "alert", version=writer.version))

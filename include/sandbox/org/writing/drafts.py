"""Records on their way into the store: what was read of each, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from include.sandbox.org.ids import canonical, number_of
from include.sandbox.org.refusals import Refusal
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.store.validation import ParentKey, read_row
from include.sandbox.org.writing.results import SaveResult, Writer

Row = Mapping[str, Any]
ROLLED_BACK = Refusal(
    400,
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
    [],
)


@dataclass(slots=True, kw_only=True)
class Draft:
    """Hold one record on its way; `number` is known when it is there already."""

    values: dict[str, Any] = field(default_factory=dict)
    parents: tuple[ParentKey, ...] = ()
    id: str | None = None
    number: int | None = None
    refusals: tuple[Refusal, ...] = ()
    created: bool = False

    def refuse(self, refusal: Refusal) -> None:
        """Note why the record can't be written."""
        self.refusals = (*self.refusals, refusal)

    def result(self) -> SaveResult:
        """Return what became of the record."""
        return SaveResult(id=self.id, created=self.created and not self.refusals, errors=self.refusals)


def good(drafts: Sequence[Draft]) -> list[Draft]:
    """Return the drafts that nothing speaks against so far."""
    return [each for each in drafts if not each.refusals]


def roll_back(drafts: Sequence[Draft]) -> bool:
    """Refuse all drafts if one is refused; say whether it was so."""
    if not any(each.refusals for each in drafts):
        return False
    for each in good(drafts):
        each.refuse(ROLLED_BACK)
        if each.created:
            each.id = None
    return True


def new_draft(target: SObject, row: Row, writer: Writer, *, audit: bool) -> Draft:
    """Read a record that is to be created."""
    draft = Draft(created=True)
    try:
        if any(name.lower() == "id" and value for name, value in row.items()):
            _refuse_own_id()
        rest = {name: value for name, value in row.items() if name.lower() != "id"}
        written = read_row(target, rest, creating=True, csv=writer.csv, audit=audit)
    except Refusal as refusal:
        draft.refuse(refusal)
    else:
        draft.values = {name: value for name, value in written.values.items() if value is not None}
        draft.parents = written.parents
    return draft


def _refuse_own_id() -> None:
    raise Refusal(400, "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])


def changed_draft(target: SObject, row: Row, writer: Writer) -> Draft:
    """Read a record that is to be changed; it names itself in Id."""
    given = next((value for name, value in row.items() if name.lower() == "id"), None)
    draft = Draft(id=canonical(str(given)) if given else None)
    if not given:
        draft.refuse(Refusal(400, "MISSING_ARGUMENT", "Id not specified in an update call", []))
        return draft
    if draft.id is None or draft.id[:3] != target.prefix:
        draft.refuse(wrong_id(target, str(given)))
        return draft
    draft.number = number_of(draft.id)
    try:
        rest = {name: value for name, value in row.items() if name.lower() != "id"}
        written = read_row(target, rest, creating=False, csv=writer.csv)
    except Refusal as refusal:
        draft.refuse(refusal)
    else:
        draft.values, draft.parents = written.values, written.parents
    return draft


def wrong_id(target: SObject, given: str) -> Refusal:
    """Return the refusal of an Id that is malformed, or is another object's."""
    return Refusal(400, "MALFORMED_ID", f"{target.label} ID: id value of incorrect type: {given}", ["Id"])

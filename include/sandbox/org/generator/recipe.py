"""How the records of one object are made: stages of SQL over the row's number, then a value for each column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from include.sandbox.org.generator import parts
from include.sandbox.org.generator.dice import Dice
from include.sandbox.org.schema.field import SObject
from include.sandbox.org.store.tables import FOREVER

Columns = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Say how an object's records come about; each stage sees the names of the stages before it, `n` and `d` first."""

    object: str
    dice: Dice
    columns: Columns
    mark: str = "0"
    stages: tuple[Columns, ...] = ()
    twin: str = "NULL"

    def insert_sql(self, target: SObject, today: date, first: int, last: int) -> str:
        """Return the statement that makes the records numbered from first to last."""
        base = int(datetime.combine(today, time(), tzinfo=UTC).timestamp())
        columns = {
            "Id": parts.own_id(target.prefix), "IsDeleted": "FALSE", **parts.audit_columns(self.dice), **self.columns,
        }  # fmt: skip
        filled = {
            each.name: each.kept(columns.get(each.name, "FALSE" if each.type == "boolean" else "NULL"))
            for each in target.columns
        }
        names = ", ".join(f'"{name}"' for name in filled)
        values = ", ".join(f"({sql})" for sql in filled.values())
        source = f"(SELECT n, ({self.dice.roll(1, 10_000)}) AS r FROM range({first}, {last + 1}) numbers(n))"
        source = f"(SELECT n, ({self.mark}) AS d FROM {source})"
        times = {"stamp": parts.stamp(self.dice, base), "today": f"DATE '{today.isoformat()}'"}
        for stage in (*self.stages, times):
            added = ", ".join(f"({sql}) AS {name}" for name, sql in stage.items())
            source = f"(SELECT *, {added} FROM {source})"
        return (
            f'INSERT INTO "{target.name}" (_n, _from, _until, _defects, _twin, {names}) '
            f"SELECT n, 0, {FOREVER}, d, {self.twin}, {values} FROM {source}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Say how many records of each generated object go with so many contacts."""

    contacts: int
    counts: Mapping[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "counts", {name: max(least, self.contacts * share // 1000) for name, (share, least) in RATIOS.items()}
        )

    def number(self, name: str, dice: Dice, salt: int, subject: str = "n") -> str:
        """Return the number of a drawn record of an object."""
        return f"(1 + {dice.roll(salt, self.counts[name], subject)})"


# Records for each thousand contacts, and the fewest that there are.
RATIOS = {
    "Account": (250, 1),
    "Contact": (1000, 1),
    "Lead": (500, 1),
    "Opportunity": (250, 1),
    "Task": (500, 1),
    "Event": (125, 1),
    "Campaign": (2, 4),
    "CampaignMember": (250, 1),
    "Case": (125, 1),
    "OpportunityContactRole": (250, 1),
    "Subscription__c": (100, 1),
    "Everything__c": (10, 60),
    "Everything_Detail__c": (20, 120),
    "Attachment": (2, 2),
}

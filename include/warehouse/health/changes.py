"""The ledger of changes in health: how each issue stands, and what of that is worth telling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from sqlalchemy import Connection, text

Layer = Literal["shown", "told"]
GRADE = "grade:"  # a subject that begins so is the grade of an object, or of all


class Change(StrEnum):
    """Name what became of an issue since the change before."""

    NEW = "new"
    WORSE = "worse"
    BETTER = "better"
    MENDED = "mended"
    UNCHANGED = "unchanged"
    NOT_ASSESSED = "not_assessed"  # it was assessed before
    ASSESSED_AGAIN = "assessed_again"
    FIRST = "first"  # the first assessment of all: where one begins is no change


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Hold how an issue stands since its last change; `failing` of `records` is the level of that change."""

    changed_at: datetime
    judged: bool = True
    assessed: bool = True
    bad: bool = False
    failing: int = 0
    records: int = 0
    bad_since: datetime | None = None
    better_since: datetime | None = None
    again_since: datetime | None = None

    @property
    def share(self) -> float:
        """Return failing / records, and 0 for an empty object."""
        return self.failing / self.records if self.records else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthNews:
    """Hold one change that people may be told of; counts of a grade are of records with an issue."""

    assessment_id: int
    subject: str
    change: Change
    object: str
    failing: int
    records: int
    before_failing: int | None = None
    before_records: int | None = None

    @property
    def of_grade(self) -> bool:
        """Return whether it tells of a grade and not of an issue."""
        return self.subject.startswith(GRADE)


def standings(connection: Connection, org: str, layer: Layer) -> dict[str, Standing]:
    """Return how everything stands, by subject."""
    rows = connection.execute(
        text(f"SELECT subject, {_COLUMNS} FROM headwater.health_standing WHERE org = :org AND layer = :layer"),
        {"org": org, "layer": layer},
    ).mappings()
    return {row["subject"]: Standing(**{name: row[name] for name in _NAMES}) for row in rows}


def set_back_by(connection: Connection, org: str, assessment_id: int, now: datetime) -> timedelta:
    """Return by how much the clock was set back since the assessment before this one, as far as the two can tell."""
    before = connection.execute(
        text(
            "SELECT assessed_at FROM headwater.assessment WHERE org = :org AND assessment_id < :assessment_id"
            " ORDER BY assessment_id DESC LIMIT 1"
        ),
        {"org": org, "assessment_id": assessment_id},
    ).scalar_one_or_none()
    return max(before - now, timedelta(0)) if before else timedelta(0)


def write_standings(connection: Connection, org: str, layer: Layer, changed: Mapping[str, Standing]) -> None:
    """Write how these subjects stand now, in the caller's transaction."""
    if changed:
        rows = [{"org": org, "layer": layer, "subject": name} | asdict(each) for name, each in changed.items()]
        connection.execute(text(_UPSERT), rows)


def write_news(connection: Connection, org: str, news: Sequence[HealthNews]) -> None:
    """Write what is worth telling, in the caller's transaction."""
    if news:
        rows = [{"org": org} | asdict(each) | {"change": each.change.value} for each in news]
        connection.execute(text(_NEWS), rows)


_NAMES = tuple(each.name for each in fields(Standing))
_COLUMNS = ", ".join(_NAMES)

_UPSERT = f"""
INSERT INTO headwater.health_standing (org, subject, layer, {_COLUMNS})
VALUES (:org, :subject, :layer, {", ".join(f":{name}" for name in _NAMES)})
ON CONFLICT (org, subject, layer) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _NAMES)}"""

_NEWS_NAMES = ("org", *(each.name for each in fields(HealthNews)))
_NEWS = (
    f"INSERT INTO headwater.health_news ({', '.join(_NEWS_NAMES)})"
    f" VALUES ({', '.join(f':{name}' for name in _NEWS_NAMES)})"
)

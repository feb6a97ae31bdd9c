"""Find the people of an org that are probably one: candidates go to Splink, what it says goes to the ledger of pairs.

It is for a task of its own: that task's process takes the memory of the engine with it when it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine

from include.config.duplicates import MatchDefinition
from include.config.orgs import OrgDefinition
from include.config.probable_duplicates import ProbableMatching
from include.errors import DefinitionError
from include.quality.nicknames import name_forms
from include.quality.probable_engine import ProbableEngine, probable_engine
from include.quality.probable_model import version_of
from include.warehouse.csv_reader import text_batches
from include.warehouse.duplicates.ledger import FoundPair, PairCounts, store_pairs
from include.warehouse.duplicates.match_keys import column_types
from include.warehouse.duplicates.probable_models import keep_model, kept_model
from include.warehouse.engine import quoted, transaction

BY_SPLINK = "splink"
_ROLES = {"first": "first_name", "last": "last_name", "email": "email", "phone": "phone", "mobile": "mobile"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probable:
    """Say how an object was compared; `learnt`: a model was learnt now, not kept from before."""

    candidates: int
    learnt: bool
    pairs: PairCounts


def find_probable(engine: Engine, org: OrgDefinition, *, now: datetime) -> dict[str, Probable]:
    """Compare the people of each object that the org names under `probable_duplicates`; those not loaded yet are left.

    Raises:
        DefinitionError: of such an object no field of a person is named.
        FatalError: the engine needs more memory than it may take.
    """
    found = {}
    for object, how in org.probable_duplicates.objects.items():
        by = org.duplicates.get(object)
        if by is None or by.kind != "person":
            raise DefinitionError(
                f"{object} holds no people that can be compared; name their fields under `duplicates.{object}`, or take"
                " it out of `probable_duplicates`",
                file=f"orgs/{org.org}.yaml",
                key=f"probable_duplicates.objects.{object}",
            )
        with transaction(engine) as connection:
            types = column_types(connection, org.schema_name, object)
        if types:
            found[object] = _find(engine, org, object, by, how, frozenset(types), now=now)
    return found


def _find(
    engine: Engine,
    org: OrgDefinition,
    object: str,
    by: MatchDefinition,
    how: ProbableMatching,
    columns: frozenset[str],
    *,
    now: datetime,
) -> Probable:
    with probable_engine(memory_mb=how.memory_mb) as matcher:
        with transaction(engine) as connection, _people(connection, org, object, by, columns) as people:
            candidates = matcher.fill(people, name_forms())
        model, learnt = _model(engine, org.org, object, matcher, how, candidates, now=now)
        with transaction(engine) as connection:
            pairs, table = _pairs(matcher, model, how.threshold), quoted(org.schema_name, object)
            counts = store_pairs(connection, org.org, object, BY_SPLINK, pairs, table=table)
    return Probable(candidates=candidates, learnt=learnt, pairs=counts)


def _pairs(matcher: ProbableEngine, model: dict[str, Any], threshold: float) -> Iterator[FoundPair]:
    for block in matcher.score(model, threshold):
        for left_id, right_id, probability in block:
            yield FoundPair(left_id=left_id, right_id=right_id, rule=BY_SPLINK, score=min(probability, 1.0))


def _model(
    engine: Engine,
    org: str,
    object: str,
    matcher: ProbableEngine,
    how: ProbableMatching,
    candidates: int,
    *,
    now: datetime,
) -> tuple[dict[str, Any], bool]:
    """Return the model that was kept, or one learnt now, or what we begin with where there is too little to learn."""
    start = matcher.starting_model
    version, after = version_of(start), now - timedelta(days=how.train_every_days)
    with transaction(engine) as connection:
        kept = kept_model(connection, org, object, version=version, learnt_after=after)
    if kept is not None:
        return kept, False
    learnt = matcher.learn()
    if learnt is None:
        return start, False
    with transaction(engine) as connection:
        keep_model(connection, org, object, learnt, version=version, pairs=candidates, learnt_at=now)
    return learnt, True


@contextmanager
def _people(
    connection: Connection, org: OrgDefinition, object: str, by: MatchDefinition, columns: frozenset[str]
) -> Iterator[Any]:
    """Yield a reader over the living people of an object, by the roles that their fields play."""
    fields = by.fields
    made = {name: _column(fields.get(role, ""), columns) for name, role in _ROLES.items()}
    made["company"] = _column(fields.get("account", ""), columns) or _lowered(
        _column(fields.get("company", ""), columns)
    )
    places = [each for role in ("zip", "city") if (each := _column(fields.get(role, ""), columns))]
    made["zip"] = f"coalesce({', '.join(f'{each}::text' for each in places)})" if places else ""
    made["born"] = _column(fields.get("birthdate", ""), columns)
    listed = {"unique_id": f"t.{quoted('Id')}"} | {name: sql for name, sql in made.items() if sql}
    left_out = _column(by.leave_out, columns)
    alive = "t._deleted_at IS NULL" + (f" AND NOT coalesce({left_out}, false)" if left_out else "")
    selected = ", ".join(f"{sql} AS {name}" for name, sql in listed.items())
    query = f"SELECT {selected} FROM {quoted(org.schema_name, object)} AS t WHERE {alive}"
    with text_batches(connection, query, tuple(listed)) as reader:
        yield reader


def _column(field: str, columns: frozenset[str]) -> str:
    return f"t.{quoted(field)}" if field in columns else ""


def _lowered(sql: str) -> str:
    return f"lower(btrim({sql}))" if sql else ""

"""Bring people in, find their duplicates as the product does, change some, and say what was found at what cost."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, text

from include.config.orgs import OrgDefinition
from include.quality.duplicates import find_duplicates
from include.warehouse.engine import transaction
from include.warehouse.tables import Table
from tools.duplicates.clock import Clock, Stage
from tools.duplicates.crowd import OBJECTS, ORG, Crowd, load, settle_in
from tools.duplicates.score import Score, score
from tools.duplicates.truth import keep_truth

DEFINITION = OrgDefinition(org=ORG, connection=ORG, objects=OBJECTS)
_WANTED = {
    "Account": [("Account", "Account")],
    "Contact": [("Contact", "Contact")],
    "Lead, alone and among contacts": [("Lead", "Lead"), ("Lead", "Contact")],
}
_ALL = [each for wanted in _WANTED.values() for each in wanted]
_STATEMENTS = {
    "clusters": ("regroup_",),
    "trigram blocks": ("similarity(",),
    "exact rules": ("block_member", "match_crowd"),
    "ledger of pairs": ("duplicate_pair", "pair_best", "duplicate_link"),
}
_INCREMENT = 1000  # one record in so many
_RELOADED = 20
_PAIRS = """
SELECT object, left_id, right_id, rule FROM headwater.duplicate_pair WHERE org = :org
 UNION ALL SELECT object || other_object, record_id, other_id, rule FROM headwater.duplicate_link WHERE org = :org
"""
_CLUSTERS = "SELECT cluster_id, array_agg(record_id ORDER BY record_id) FROM headwater.duplicate_member GROUP BY 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Hold what was found at what cost; `increment_is_whole`: an increment left what comparing everything finds."""

    counts: dict[str, int]
    score: Score
    stages: tuple[Stage, ...]
    increment: int
    increment_is_whole: bool
    reloaded: int


def measure(engine: Engine, crowd: Crowd) -> Measured:
    """Measure on an empty, migrated warehouse."""
    clock = Clock(engine)
    with clock.stage("first load, no keys"):
        tables = settle_in(engine, crowd)
    keep_truth(engine, crowd)
    for name, wanted in _WANTED.items():
        with clock.stage(f"{name}: keys and all pairs"), clock.statements(_STATEMENTS):
            find_duplicates(engine, DEFINITION, wanted)
    found = score(engine, ORG)
    with clock.stage("nothing changed"):
        find_duplicates(engine, DEFINITION, _ALL)
    reloaded = _reload(engine, crowd, clock, tables["Contact"])
    changed = _change(crowd)
    with clock.stage("increment, load"):
        load(engine, tables["Contact"], crowd.csv("Contact", f"t._n % {_INCREMENT} = 1"))
    with clock.stage("increment, compare"), clock.statements(_STATEMENTS):
        find_duplicates(engine, DEFINITION, _ALL)
    by_increment = _pairs(engine)
    with transaction(engine) as connection:
        connection.execute(
            text("UPDATE headwater.match_set SET matched_at = NULL WHERE org = :org AND object = 'Contact'"),
            {"org": ORG},
        )
    with clock.stage("all pairs again, keys kept"), clock.statements(_STATEMENTS):
        find_duplicates(engine, DEFINITION, _ALL)
    return Measured(
        counts=crowd.counts,
        score=found,
        stages=tuple(clock.stages),
        increment=changed,
        increment_is_whole=by_increment == _pairs(engine),
        reloaded=reloaded,
    )


def _reload(engine: Engine, crowd: Crowd, clock: Clock, table: Table) -> int:
    """Load as many records once with keys and once without, each with another title; return how many."""
    for place, trigger in ((3, "ENABLE"), (7, "DISABLE")):
        condition = f"_n % {_RELOADED} = {place}"
        with crowd.database.write() as cursor:
            cursor.execute(
                f"""UPDATE "Contact" SET "Title" = 'Dr.', "SystemModstamp" = now()::TIMESTAMP WHERE {condition}"""
            )
        source = crowd.csv("Contact", condition)
        with transaction(engine) as connection:
            connection.exec_driver_sql(f"ALTER TABLE {table.name} {trigger} TRIGGER USER")
        with clock.stage(f"reload of 1 in {_RELOADED}, {'keys kept' if trigger == 'ENABLE' else 'no keys'}"):
            load(engine, table, source)
    with transaction(engine) as connection:
        connection.exec_driver_sql(f"ALTER TABLE {table.name} ENABLE TRIGGER USER")
    return int(crowd.counts["Contact"] / _RELOADED)


def _change(crowd: Crowd) -> int:
    """Let some contacts become duplicates of their neighbours, and others stop being any; return how many."""
    with crowd.database.write() as cursor:
        cursor.execute(
            'UPDATE "Contact" AS c SET "FirstName" = p."FirstName", "LastName" = p."LastName", "Email" = p."Email",'
            ' "Birthdate" = NULL, "SystemModstamp" = now()::TIMESTAMP FROM "Contact" AS p'
            f" WHERE p._n = c._n + 1 AND c._n % {_INCREMENT * 2} = 1"
        )
        cursor.execute(
            """UPDATE "Contact" SET "LastName" = 'Nobody' || _n, "Email" = 'nobody' || _n || '@nowhere.example',"""
            """ "Phone" = NULL, "MobilePhone" = NULL, "SystemModstamp" = now()::TIMESTAMP"""
            f" WHERE _n % {_INCREMENT * 2} = {_INCREMENT + 1}"
        )
    return len(range(1, crowd.counts["Contact"] + 1, _INCREMENT))


def _pairs(engine: Engine) -> tuple[frozenset[tuple[str, ...]], frozenset[tuple[str, ...]]]:
    """Return all pairs, and which records are in one cluster."""
    with transaction(engine) as connection:
        pairs = frozenset(tuple(row) for row in connection.execute(text(_PAIRS), {"org": ORG}))
        clusters = frozenset(tuple(row[1]) for row in connection.execute(text(_CLUSTERS)))
    return pairs, clusters

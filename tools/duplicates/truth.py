"""Who the generated people really are, kept beside the warehouse: each record's entity, each planted pair."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine

from include.sandbox.org.generator.defects import DEFECTS, NOT_DUPLICATES, Defect, bit
from include.warehouse.engine import driver, transaction
from tools.duplicates.crowd import OBJECTS, Crowd

_TABLES = """
CREATE SCHEMA truth;
CREATE TABLE truth.planted (a text NOT NULL, b text NOT NULL, kind text NOT NULL, is_same boolean NOT NULL);
"""
# A twin's twin is never a twin itself: whoever doubles somebody doubles a clean record, so two steps name the entity.
_ENTITIES = """
CREATE TABLE truth.entity AS SELECT b AS id, a AS entity FROM truth.planted WHERE is_same;
CREATE UNIQUE INDEX ON truth.entity (id);
CREATE INDEX ON truth.entity (entity);
CREATE TABLE truth.pair AS
SELECT least(a, b) AS a, greatest(a, b) AS b, kind FROM truth.planted WHERE is_same
 UNION ALL
SELECT least(f.id, s.id), greatest(f.id, s.id), 'by a third record' FROM truth.entity AS f
  JOIN truth.entity AS s ON s.entity = f.entity AND s.id > f.id;
CREATE UNIQUE INDEX ON truth.pair (a, b);
CREATE TABLE truth.trap AS SELECT least(a, b) AS a, greatest(a, b) AS b, kind FROM truth.planted WHERE NOT is_same;
CREATE UNIQUE INDEX ON truth.trap (a, b);
ANALYZE truth.entity; ANALYZE truth.pair; ANALYZE truth.trap;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Name a kind of planted pair."""

    name: str
    object: str
    is_same: bool


def kinds() -> tuple[Kind, ...]:
    """Return every kind of pair that the generator plants, duplicates first."""
    return tuple(Kind(name=each.name, object=each.object, is_same=not each.different) for each in _pairs(OBJECTS))


def keep_truth(engine: Engine, crowd: Crowd) -> None:
    """Write the truth into the schema `truth`."""
    with transaction(engine) as connection:
        connection.exec_driver_sql(_TABLES)
        with driver(connection).cursor().copy("COPY truth.planted (a, b, kind, is_same) FROM STDIN") as copy:
            for each in _pairs(OBJECTS):
                sql = f'SELECT _twin, "Id" FROM "{each.object}" WHERE (_defects & {bit(each)}) <> 0 ORDER BY _n'
                for block in crowd.database.stream(sql):
                    for twin, own in block:
                        copy.write_row((twin, own, each.name, not each.different))
        connection.exec_driver_sql(_ENTITIES)


def _pairs(objects: tuple[str, ...]) -> list[Defect]:
    return [each for each in (*DEFECTS, *NOT_DUPLICATES) if each.pair and each.object in objects]

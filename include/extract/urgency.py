"""Say how urgent the calls of an object's run are, before its client is opened."""

from __future__ import annotations

from sqlalchemy import Engine

from include.config.budget import Work
from include.config.orgs import OrgDefinition
from include.extract.plan import decide_work
from include.records import RunMode
from include.warehouse.engine import transaction
from include.warehouse.extracts.cursors import read_cursor


def work_of(engine: Engine, org: OrgDefinition, object: str, mode: RunMode) -> Work:
    """Return how urgent a run of the object is: what reads everything waits before what reads changes."""
    with transaction(engine) as connection:
        cursor = read_cursor(connection, org.org, object)
    return decide_work(mode, was_read=cursor.at is not None)

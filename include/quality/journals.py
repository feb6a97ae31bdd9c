"""See to it that what the checks need to know of changes is written down, before they are judged."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Engine

from include.config.checks import CheckDefinition
from include.config.orgs import OrgDefinition
from include.errors import TableBusy
from include.quality.catalogue import choose_checks
from include.quality.increment import read_first, wanted_journals
from include.quality.sweep import known_objects
from include.warehouse.engine import transaction
from include.warehouse.health.assessments import IssueResult
from include.warehouse.health.changed_rows import Moment
from include.warehouse.health.journals import begin_journal, forget_written, journals_of


def keep_journals(engine: Engine, org: OrgDefinition, checks: Iterable[CheckDefinition]) -> None:
    """Begin the journals that are missing, in transactions of their own.

    Where an object is being loaded just now, none is begun: the next assessment judges it whole, and begins it then.
    """
    with transaction(engine) as connection:
        known = known_objects(connection, org.org, org.schema_name)
        kept = journals_of(connection, org.org, org.schema_name)
    for object, wanted in wanted_journals(choose_checks(org, checks, known).assessable).items():
        if object in kept and kept[object].keeps(wanted):
            continue
        try:
            with transaction(engine) as connection:
                begin_journal(connection, org.org, org.schema_name, object, wanted)
        except TableBusy:
            continue


def forget_seen(
    connection: Connection, moment: Moment, checks: Iterable[CheckDefinition], issues: Iterable[IssueResult]
) -> None:
    """Drop from the journals what no check of the next assessment will ask for."""
    first = read_first(moment.low, checks, {issue.check_id: issue.seen for issue in issues})
    lows = {object: first.get(object, moment.low) for object in moment.journals}
    forget_written(connection, moment.journals, lows)

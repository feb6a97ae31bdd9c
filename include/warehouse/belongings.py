"""Say what the warehouse keeps of an org or one of its objects, and drop exactly that when asked to.

Never touched: what several orgs share (API budget of the org's Id, sessions of connections), Airflow's own history, and
everything of other orgs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from include.errors import NotReady
from include.warehouse.duplicates.match_keys import drop_keys
from include.warehouse.engine import quoted, transaction
from include.warehouse.health.journals import drop_journals
from include.warehouse.locks import object_lock

# The tables that name org and object, dependants first. A run's own dependants go with it by their foreign keys.
_OF_OBJECT = (
    "duplicate_pair", "duplicate_link", "duplicate_member", "duplicate_cluster", "duplicate_pass", "match_set",
    "probable_model", "journal",
    "reject", "slice", "certificate", "reconciliation", "extract", "probe", "schema_change", "finding", "onboarding",
    "field", "object",
)  # fmt: skip
_DEPENDENTS = "2BP01"  # dependent_objects_still_exist
_RUNS = "kind IN ('extract', 'reconcile')"
# A push that once belonged to another org keeps what it sent.
_PUSHES_OF = "SELECT push FROM headwater.push_run GROUP BY push HAVING bool_and(org = :org)"

# What an org has besides its objects: ledger -> condition.
_OF_ORG = {
    "outbox": f"push IN ({_PUSHES_OF})",
    "sent": f"push IN ({_PUSHES_OF})",
    "selection": "run_id IN (SELECT run_id FROM headwater.push_run WHERE org = :org)",
    "outcome": "run_id IN (SELECT run_id FROM headwater.push_run WHERE org = :org)",
    "accepted": "run_id IN (SELECT run_id FROM headwater.push_run WHERE org = :org)",
    "sync_error": "org = :org",
    "push_run": "org = :org",
    "assessment": "org = :org",
    "health_standing": "org = :org",
    "owner_told": "org = :org",
    "health_mute": "org = :org",
    "notification": "org = :org",
    "api_call": "org = :org",
    "api_limit": "org = :org",
    "run": "org = :org",
    "org": "org = :org",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """Name one thing that is kept: a table of records or the rows of a ledger."""

    name: str  # salesforce_acme.Lead, or headwater.run
    rows: int  # of a table: about
    size: int = 0  # bytes; of a ledger 0, its rows lie among others'


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Name an org, or an object of an org, that is kept here and defined no more."""

    org: str
    object: str = ""  # "": the whole org
    rows: int = 0  # in its tables, about
    size: int = 0

    @property
    def what(self) -> str:
        """Return its name for a person."""
        return f"{self.object} of {self.org}" if self.object else f"the org {self.org}"

    @property
    def command(self) -> str:
        """Return the command that drops it."""
        return f"make forget ORG={self.org}" + (f" OBJECT={self.object}" if self.object else "")


def belongings(engine: Engine, org: str, object: str = "") -> tuple[Belonging, ...]:
    """Return what is kept of an org, or of one of its objects; nothing of it when nothing is."""
    with transaction(engine) as connection:
        return tuple(_belongings(connection, org, object))


def forget(engine: Engine, org: str, object: str = "") -> tuple[Belonging, ...]:
    """Drop what is kept of an org, or of one of its objects, in one transaction, and return what it was.

    Raises:
        NotReady: a run works on it at this moment; nothing was dropped.
    """
    with ExitStack() as locks:
        for name in _objects(engine, org, object):
            if not locks.enter_context(object_lock(engine, org, name, wait=False)):
                raise NotReady(
                    f"a run works on {name} of {org} now; pause the org's DAGs and try again when it has ended"
                )
        try:
            with transaction(engine) as connection:
                return _drop(connection, org, object)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", "") != _DEPENDENTS:
                raise
            raise NotReady(
                f"something that is not ours depends on the tables of salesforce_{org}, e.g. a view: drop that first."
                " Nothing was dropped"
            ) from error


def _drop(connection: Connection, org: str, object: str) -> tuple[Belonging, ...]:
    found = tuple(_belongings(connection, org, object))
    # Without CASCADE: a view that somebody made on our tables stops this, and everything stays.
    for name in _tables(connection, org, object):
        connection.execute(text(f"DROP TABLE {quoted(f'salesforce_{org}', name)}"))
    drop_keys(connection, org, object)
    drop_journals(connection, org, object)
    for table, condition in _conditions(connection, object):
        connection.execute(text(f"DELETE FROM headwater.{table} WHERE {condition}"), {"org": org, "object": object})
    if not object:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {quoted(f'salesforce_{org}')}"))
    return found


def leftovers(engine: Engine, defined: Mapping[str, Collection[str]]) -> tuple[Leftover, ...]:
    """Return what is kept of orgs and objects that are defined no more.

    Args:
        engine: the warehouse.
        defined: for each org that is defined, its objects.
    """
    with transaction(engine) as connection:
        known = connection.execute(
            text("SELECT org, object FROM headwater.object UNION SELECT org, '' FROM headwater.org ORDER BY 1, 2")
        ).all()
        found = []
        for org, object in known:
            if (org in defined and (not object or object in defined[org])) or (org not in defined and object):
                continue
            sizes = [_table(connection, org, name) for name in _tables(connection, org, object)]
            found.append(
                Leftover(
                    org=org,
                    object=object,
                    rows=sum(each.rows for each in sizes),
                    size=sum(each.size for each in sizes),
                )
            )
        return tuple(found)


def _belongings(connection: Connection, org: str, object: str) -> list[Belonging]:
    found = [_table(connection, org, name) for name in _tables(connection, org, object)]
    for table, condition in _conditions(connection, object):
        rows = connection.execute(
            text(f"SELECT count(*) FROM headwater.{table} WHERE {condition}"), {"org": org, "object": object}
        ).scalar_one()
        if rows:
            found.append(Belonging(name=f"headwater.{table}", rows=rows))
    return found


def _conditions(connection: Connection, object: str) -> list[tuple[str, str]]:
    """Return which rows of which ledgers belong to an object or org, in the order in which they can go."""
    ours = "org = :org AND object = :object" if object else "org = :org"
    conditions = [(table, ours) for table in _OF_OBJECT]
    if object:
        conditions.append(("run", f"org = :org AND subject = :object AND {_RUNS}"))
    else:
        conditions += _OF_ORG.items()
    there = set(connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'headwater'")).scalars())
    return [(table, condition) for table, condition in conditions if table in there]


def _tables(connection: Connection, org: str, object: str) -> list[str]:
    """Return the tables of an org's schema that belong to it, or to one of its objects."""
    return list(
        connection.execute(
            text(
                "SELECT tablename FROM pg_tables WHERE schemaname = :schema AND (:object = '' OR tablename = :object)"
                " ORDER BY 1"
            ),
            {"schema": f"salesforce_{org}", "object": object},
        ).scalars()
    )


def _table(connection: Connection, org: str, name: str) -> Belonging:
    row = connection.execute(
        text(
            "SELECT greatest(c.reltuples, 0)::bigint AS rows, pg_total_relation_size(c.oid) AS size"
            " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " WHERE n.nspname = :schema AND c.relname = :name"
        ),
        {"schema": f"salesforce_{org}", "name": name},
    ).one()
    return Belonging(name=f"salesforce_{org}.{name}", rows=row.rows, size=row.size)


def _objects(engine: Engine, org: str, object: str) -> list[str]:
    if object:
        return [object]
    with transaction(engine) as connection:
        return list(
            connection.execute(
                text("SELECT object FROM headwater.object WHERE org = :org ORDER BY 1"), {"org": org}
            ).scalars()
        )

"""Turn Airflow connections into live objects of `include`: the only place where connections are read.

Import it inside `execute()` (or a page's handler) only: it pulls in database drivers.
"""

from __future__ import annotations

from functools import cache

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from sqlalchemy import Engine

from include.errors import NotReady
from include.warehouse.engine import open_warehouse

WAREHOUSE_CONNECTION = "headwater_warehouse"


@cache
def warehouse_engine() -> Engine:
    """Return this process's engine on the warehouse.

    Raises:
        NotReady: the connection `headwater_warehouse` does not exist.
    """
    try:
        connection = BaseHook.get_connection(WAREHOUSE_CONNECTION)
    except AirflowNotFoundException as error:
        raise NotReady(
            f"the Airflow connection {WAREHOUSE_CONNECTION!r} does not exist;"
            " create it (type Postgres) with host, database, login and password of the warehouse, or run `make up`"
        ) from error
    return open_warehouse(connection.get_uri())


@cache
def definitions() -> Definitions:
    """Return the definitions as they are now; read once a process, and a task is a process."""
    return load_definitions()


def org_definition(name: str) -> OrgDefinition:
    """Return an org's definition, or raise DefinitionError."""
    return definitions().org(name)


def push_definition(name: str) -> PushDefinition:
    """Return a push's definition, or raise DefinitionError."""
    return definitions().push(name)


def checks() -> dict[str, CheckDefinition]:
    """Return the checks that are defined."""
    return definitions().checks

"""Say who may do what: one table from our capabilities to Airflow's own checks.

Airflow's auth managers differ in what a user is (those of FAB have no role), but all answer the same `is_authorized_…`
questions. Changing who may do something is changing a line here, or a role in Airflow.

| capability   | Airflow's question                      | Viewer | User | Op | Admin |
|--------------|-----------------------------------------|--------|------|----|-------|
| see masked   | is somebody signed in?                  | yes    | yes  | yes| yes   |
| see unmasked | may they read connections?              |        |      | yes| yes   |
| run          | may they make a DAG run?                |        | yes  | yes| yes   |
| accept       | may they change connections?            |        |      | yes| yes   |
| edit         | may they say who may do what?           |        |      |    | yes   |

No single question of Airflow's lets only Admin pass under both of its auth managers. Editing asks two, and both must be
answered with yes. *May they edit roles?* is Admin's alone where FAB asks (there, it can be given to others as `can edit
on Roles`), and everybody's where SimpleAuthManager does. *May they change a connection of a team that nobody is in?* is
Admin's alone for SimpleAuthManager; FAB knows no teams, and asks for the right to change connections.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import ConnectionDetails, DagAccessEntity
from airflow.api_fastapi.core_api.security import (
    GetUserDep,
    requires_access_connection,
    requires_authenticated,
)
from fastapi import Depends, HTTPException, Request

from headwater.ui.origin import SAME_ORIGIN


class Capability(StrEnum):
    """Name what a person may do in Headwater's pages."""

    SEE_MASKED = "see_masked"
    SEE_UNMASKED = "see_unmasked"
    RUN = "run"
    ACCEPT = "accept"
    EDIT = "edit"


_NOBODYS_TEAM = "nobody is in this team"


def _requires_admin(request: Request, user: GetUserDep) -> None:
    """Let pass who may say who may do what."""
    manager = get_auth_manager()
    connections = ConnectionDetails(team_name=_NOBODYS_TEAM)
    if not (
        manager.is_authorized_custom_view(method="PUT", resource_name="Roles", user=user)
        and manager.is_authorized_connection(method="PUT", details=connections, user=user)
    ):
        raise HTTPException(403, "Forbidden")


def _requires_run(request: Request, user: GetUserDep) -> None:
    """Let pass who may make runs of any DAG.

    Airflow's own dependency would ask about the DAG that an address names (`?dag_id=`): whoever may run a single one
    could then decide about all.
    """
    if not get_auth_manager().is_authorized_dag(method="POST", access_entity=DagAccessEntity.RUN, user=user):
        raise HTTPException(403, "Forbidden")


CHECKS: dict[Capability, Callable[..., Any]] = {
    Capability.SEE_MASKED: requires_authenticated(),
    Capability.SEE_UNMASKED: requires_access_connection("GET"),
    Capability.RUN: _requires_run,
    Capability.ACCEPT: requires_access_connection("PUT"),
    Capability.EDIT: _requires_admin,
}


def requires(capability: Capability) -> Any:
    """Return the dependency that lets a request pass only if its user has the capability (else 401 or 403)."""
    return Depends(CHECKS[capability])


def changes(capability: Capability) -> list[Any]:
    """Return what a request that changes something must pass, in this order; its body is read after that.

    First of all comes the login, which the whole app asks for.
    """
    return [requires(capability), SAME_ORIGIN]


def may_run(request: Request, user: GetUserDep) -> bool:
    """Return whether to offer this user what starts runs; the request that does so is checked again."""
    try:
        CHECKS[Capability.RUN](request, user)
    except HTTPException:
        return False
    return True


async def may_see_unmasked(request: Request, user: GetUserDep) -> bool:
    """Return whether this user may see who somebody is."""
    try:
        # Airflow asks about connections by a coroutine: called without await it would refuse nobody.
        await CHECKS[Capability.SEE_UNMASKED](request, user)
    except HTTPException:
        return False
    return True


MayRun = Annotated[bool, Depends(may_run)]
MaySeeUnmasked = Annotated[bool, Depends(may_see_unmasked)]


async def may_accept(request: Request, user: GetUserDep) -> bool:
    """Return whether to offer this user to accept what waits for a person; the request is checked again."""
    try:
        await CHECKS[Capability.ACCEPT](request, user)  # a coroutine, as may_see_unmasked says
    except HTTPException:
        return False
    return True


MayAccept = Annotated[bool, Depends(may_accept)]


def may_edit(request: Request, user: GetUserDep) -> bool:
    """Return whether to offer this user what changes settings; the request that does so is checked again."""
    try:
        CHECKS[Capability.EDIT](request, user)
    except HTTPException:
        return False
    return True


MayEdit = Annotated[bool, Depends(may_edit)]

"""Say who may do what: one table from our capabilities to Airflow's own checks.

Airflow's auth managers differ in what a user is (those of FAB have no role), but all answer the same `is_authorized_…`
questions. Changing who may do something is changing a line here, or a role in Airflow.

| capability   | Airflow's question                      | Viewer | User | Op | Admin |
|--------------|-----------------------------------------|--------|------|----|-------|
| see masked   | is somebody signed in?                  | yes    | yes  | yes| yes   |
| see unmasked | may they read connections?              |        |      | yes| yes   |
| run          | may they make a DAG run?                |        | yes  | yes| yes   |
| edit         | may they change connections?            |        |      | yes| yes   |
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import (
    GetUserDep,
    requires_access_connection,
    requires_access_dag,
    requires_authenticated,
)
from fastapi import Depends, HTTPException, Request


class Capability(StrEnum):
    """Name what a person may do in Headwater's pages."""

    SEE_MASKED = "see_masked"
    SEE_UNMASKED = "see_unmasked"
    RUN = "run"
    EDIT = "edit"


CHECKS: dict[Capability, Callable[..., Any]] = {
    Capability.SEE_MASKED: requires_authenticated(),
    Capability.SEE_UNMASKED: requires_access_connection("GET"),
    Capability.RUN: requires_access_dag("POST", DagAccessEntity.RUN),
    Capability.EDIT: requires_access_connection("PUT"),
}


def requires(capability: Capability) -> Any:
    """Return the dependency that lets a request pass only if its user has the capability (else 401 or 403)."""
    return Depends(CHECKS[capability])


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


async def may_edit(request: Request, user: GetUserDep) -> bool:
    """Return whether to offer this user what changes settings; the request that does so is checked again."""
    try:
        await CHECKS[Capability.EDIT](request, user)  # a coroutine, as may_see_unmasked says
    except HTTPException:
        return False
    return True


MayEdit = Annotated[bool, Depends(may_edit)]

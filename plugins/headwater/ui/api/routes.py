"""Put the JSON API together: one router below /api/v1, and its description."""

from __future__ import annotations

from fastapi import APIRouter

from headwater.ui.api import (
    document,
    duplicates,
    errors,
    extracts,
    fields,
    health,
    notifications,
    onboarding,
    orgs,
    overview,
    pushes,
    record,
    schema,
    usage,
)
from headwater.ui.api.document import VERSION_PATH
from headwater.ui.api.problems import REFUSALS

router = APIRouter()
_versioned = APIRouter(prefix=VERSION_PATH, responses=REFUSALS)
for _subject in (
    orgs,
    overview,
    health,
    extracts,
    onboarding,
    pushes,
    errors,
    record,
    duplicates,
    fields,
    schema,
    usage,
    notifications,
):
    _versioned.include_router(_subject.router)
router.include_router(_versioned)
router.include_router(document.router)

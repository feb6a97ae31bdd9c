"""How far the first loads of an org are."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import Field

from headwater.ui.api.addressed import TheOrg
from headwater.ui.api.answers import Answer, Moment
from headwater.ui.warehouse import Warehouse
from include.warehouse.overview import onboarding_overview

router = APIRouter(tags=["Extracts"])


class ObjectOnboardingAnswer(Answer):
    """Say how far the first load of an object is."""

    object: str
    expected: int | None = Field(
        description="Rows, as the org counted them, about; null: it doesn't count this object."
    )
    loaded: int
    share: float
    plan: str
    calls: int = Field(description="API calls that it was expected to take.")
    seconds: float = Field(description="How long it was expected to take.")
    first_loaded_at: Moment | None = Field(description="null: it is not complete.")
    state: str | None
    message: str


class OnboardingStateAnswer(Answer):
    """Hold the onboarding of an org."""

    began_at: Moment
    ended_at: Moment | None
    expected: int
    loaded: int
    share: float
    seconds_left: float = Field(description="If objects were loaded one after the other.")
    objects: tuple[ObjectOnboardingAnswer, ...]


class OnboardingAnswer(Answer):
    """Hold the onboarding of an org that lasts, or ended within a day."""

    onboarding: OnboardingStateAnswer | None = Field(description="null: none lasts, or ended within a day.")


@router.get("/orgs/{org}/onboarding", summary="Read how far the first loads are")
def onboarding(engine: Warehouse, org: TheOrg) -> OnboardingAnswer:
    """Return how far the first load of each object is, against what it was expected to take."""
    found = onboarding_overview(engine, org.org)
    if found is None:
        return OnboardingAnswer(onboarding=None)
    state = {name: getattr(found, name) for name in OnboardingStateAnswer.model_fields if name != "seconds_left"}
    return OnboardingAnswer.model_validate({"onboarding": {**state, "seconds_left": found.left.total_seconds()}})

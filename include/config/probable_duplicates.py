"""What a person says of duplicates by probability: which objects' records Splink compares, and when."""

from __future__ import annotations

from pydantic import Field

from include.config.model import ApiName, Cron, DefinitionModel


class ProbableMatching(DefinitionModel):
    """Hold how an object's records are compared by probability."""

    threshold: float = Field(
        default=0.9, ge=0.5, lt=1, description="from this probability on, two records are taken for one"
    )
    train_every_days: int = Field(default=90, ge=1, le=3650, description="a model older than this is learnt anew")
    memory_mb: int = Field(default=1000, ge=200, le=1_000_000, description="the engine takes no more; the rest spills")


class ProbableDuplicates(DefinitionModel):
    """Hold which objects of an org are also compared by probability; none unless named."""

    objects: dict[ApiName, ProbableMatching] = Field(
        default={}, description="objects of people (Contact, Lead) whose fields to compare `duplicates` names"
    )
    schedule: Cron = "0 3 * * 0"

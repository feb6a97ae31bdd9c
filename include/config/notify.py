"""The definition of whom to tell what: mails and webhooks of an org."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from include.config.model import DefinitionModel

MailAddress = Annotated[str, StringConstraints(pattern=r"^[^@\s,;<>]+@[^@\s,;<>]+$", max_length=254)]


class Event(StrEnum):
    """Name what a channel can be told."""

    ONBOARDING_ENDED = "onboarding_ended"  # every object's first load is complete
    ONBOARDING_FAILED = "onboarding_failed"  # a first load stopped
    RUN_FAILED = "run_failed"
    RUN_DEGRADED = "run_degraded"  # it ran, and something is not as it should be
    MASS_DISAPPEARANCE = "mass_disappearance"  # so many records are gone that a person has to decide
    CREDENTIALS_REFUSED = "credentials_refused"  # a platform refuses a connection; every push over it is held
    BUDGET_PAUSED = "budget_paused"  # a run waits for API calls
    SCHEMA_CHANGED = "schema_changed"  # a field that a push or check uses is gone or has another type
    HEALTH_WORSE = "health_worse"  # an issue is new or worse or can't be assessed any more, a grade went down
    HEALTH_BETTER = "health_better"  # an issue is better or mended or is assessed again, a grade went up


class ChannelDefinition(DefinitionModel):
    """Hold one way to tell people; secrets stand in the Airflow connection."""

    mail: tuple[MailAddress, ...] = Field(default=(), description="recipients")
    webhook: str = Field(default="", description="id of an Airflow connection of type HTTP")
    connection: str = Field(default="smtp_default", min_length=1, description="of mails: an Airflow connection, SMTP")
    events: tuple[Event, ...] = Field(default=tuple(Event), min_length=1)

    @model_validator(mode="after")
    def _leads_somewhere(self) -> ChannelDefinition:
        if bool(self.mail) == bool(self.webhook):
            raise ValueError("a channel is either `mail` with recipients or `webhook` with a connection")
        if self.webhook and "connection" in self.model_fields_set:
            raise ValueError("`connection` belongs to a mail; a webhook names its connection itself")
        return self

    @property
    def name(self) -> str:
        """Return what the ledger calls it; recipients are not told by it."""
        if self.webhook:
            return f"webhook {self.webhook}"
        mark = hashlib.sha256(",".join(sorted(self.mail)).encode()).hexdigest()[:8]
        return f"mail {self.connection} {mark}"

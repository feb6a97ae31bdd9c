"""The definition of what people hear of their records' health: what counts as a change, whom to tell, the digest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from include.config.model import Cron, DefinitionModel
from include.config.notify import ChannelDefinition, MailAddress


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone; give one such as 'Europe/Berlin' or 'UTC'") from error
    return name


TimeZone = Annotated[str, AfterValidator(_time_zone)]
# A user or a queue of Salesforce, by its Id of 15 or 18 letters.
OwnerId = Annotated[str, StringConstraints(pattern=r"^(005|00G)[A-Za-z0-9]{12}([A-Za-z0-9]{3})?$")]


class ToleranceDefinition(DefinitionModel):
    """Say how small a difference is noise; a change must be greater in both, the records and their share."""

    records: int = Field(default=5, ge=1, description="so many more or fewer records at least")
    share: float = Field(default=0.001, ge=0, le=1, description="and so much of the object's records at least")
    grade: float = Field(default=0.01, gt=0, le=1, description="a grade moves by so much at least")


class OwnersDefinition(DefinitionModel):
    """Hold how the owners of records are told of their own new findings."""

    tell: bool = False
    fallback: MailAddress | None = Field(
        default=None, description="gets what belongs to nobody who can be told: a queue, an inactive or unknown user"
    )
    managers: bool = Field(default=True, description="an inactive user's findings go to the manager first")
    cc: tuple[MailAddress, ...] = Field(default=(), description="get a copy of every such mail")
    map: dict[OwnerId, MailAddress] = Field(default={}, description="another address for this user or queue")
    every_hours: int = Field(default=24, ge=1, le=24 * 31, description="an owner gets no second mail before")
    max_mails: int = Field(default=100, ge=1, le=5_000, description="a run; who is left is told by the next")
    max_records: int = Field(default=25, ge=0, le=500, description="whose Ids a mail lists; the others are counted")


class DigestDefinition(DefinitionModel):
    """Hold what sums up a week, and for whom; it is off while nobody is named."""

    mail: tuple[MailAddress, ...] = ()
    webhook: str = Field(default="", description="id of an Airflow connection of type HTTP; besides mail or instead")
    schedule: Cron = "0 7 * * 1"
    time_zone: TimeZone = "UTC"

    @property
    def wanted(self) -> bool:
        """Return whether anybody gets it."""
        return bool(self.mail or self.webhook)

    def period(self, now: datetime) -> tuple[datetime, datetime]:
        """Return the beginning and the end of the newest period of the schedule that is over."""
        from croniter import croniter  # Airflow's own cron library

        moments = croniter(self.schedule, now.astimezone(ZoneInfo(self.time_zone)) + timedelta(seconds=1))
        high: datetime = moments.get_prev(datetime)  # type: ignore[no-untyped-call]
        low: datetime = moments.get_prev(datetime)  # type: ignore[no-untyped-call]
        # In the hour that a clock shows twice, looking back misses a moment that was in it; looking forward does not.
        following: datetime = croniter(self.schedule, high).get_next(datetime)  # type: ignore[no-untyped-call]
        if high < following <= now:
            low, high = high, following
        return low.astimezone(UTC), high.astimezone(UTC)


class HealthDefinition(DefinitionModel):
    """Hold everything that an org says of news about its health (`health:` in its definition)."""

    tolerance: ToleranceDefinition = ToleranceDefinition()
    settle_hours: float = Field(
        default=24, ge=0, le=24 * 31, description="good news is told when it has lasted so long; bad news at once"
    )
    remind_after_days: int | None = Field(default=None, ge=1, le=365, description="none: what stays bad is told once")
    connection: str = Field(
        default="smtp_default", min_length=1, description="of mails to teams and owners and of the digest: SMTP"
    )
    owners: OwnersDefinition = OwnersDefinition()
    digest: DigestDefinition = DigestDefinition()

    @property
    def digest_channels(self) -> dict[str, ChannelDefinition]:
        """Return the ways that the digest goes, by the name that the ledger has for each.

        The name is the same whoever is in it: a new recipient brings no old digest again.
        """
        channels = {}
        if self.digest.mail:
            channels[f"digest {self.connection}"] = ChannelDefinition(mail=self.digest.mail, connection=self.connection)
        if self.digest.webhook:
            channels[f"digest webhook {self.digest.webhook}"] = ChannelDefinition(webhook=self.digest.webhook)
        return channels

    def team_channel(self, address: str) -> ChannelDefinition:
        """Return the channel over which a team is told of what is its own."""
        return ChannelDefinition(mail=(address,), connection=self.connection)

    @model_validator(mode="after")
    def _somebody_can_be_told(self) -> HealthDefinition:
        if not self.owners.tell and self.owners != OwnersDefinition():
            raise ValueError("`owners` says how owners are told, but not that they are: add `tell: true`")
        if not self.digest.wanted and self.digest != DigestDefinition():
            raise ValueError("`digest` names no recipients, and would never be sent: add `mail` or `webhook`")
        return self

"""The definition of a push: which records go where, as what, and under which guards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from include.config.model import Cron, DefinitionModel, Slug
from include.config.platforms import PLATFORMS, Match, Platform
from include.config.push_mapping import (
    AttributeName,
    EventDefinition,
    Identifiers,
    Mapped,
    MappedField,
    Phone,
    Scalar,
    refuse_way_back,
)
from include.config.push_source import Source
from include.records import ProfileAction

__all__ = ["EventDefinition", "Gate", "Identifiers", "Phone", "PushDefinition", "PushOptions", "Source", "Target"]

PlatformName = Literal["insider_one", "intercom", "klaviyo", "hubspot", "braze", "webhook"]
Gone = Literal["ignore", "clear", "archive", "delete"]
# What a platform makes of names that it doesn't take is to lose them without a word.
_NAMES: Mapping[str, tuple[re.Pattern[str], str]] = {
    "insider_one": (
        re.compile(r"(?!c_)[a-z0-9][a-z0-9_]*"),
        "lower-case letters, digits and underscores, no `c_` first",
    ),
    "hubspot": (re.compile(r"[a-z][a-z0-9_]*"), "lower-case letters, digits and underscores"),
}
_EVENT_NAMES: Mapping[str, tuple[re.Pattern[str], str]] = {
    "insider_one": (re.compile(r"[a-z0-9][a-z0-9._-]*"), "lower-case letters, digits, dots, dashes and underscores"),
}


class Target(DefinitionModel):
    """Name the platform and the Airflow connection that leads to it."""

    platform: PlatformName
    connection: str = Field(min_length=1)


class Gate(DefinitionModel):
    """Say how the health gate treats this push."""

    enabled: bool = True
    max_age_hours: float = Field(default=30, gt=0, le=8760, description="an older assessment counts as none")
    without_assessment: Literal["stop", "pass"] = "stop"
    not_assessed: Literal["stop", "pass"] = Field(
        default="stop",
        description="what a critical check that could not be assessed does to the gate",
    )


class PushOptions(DefinitionModel):
    """Hold what a run of the push does unless its parameters say otherwise."""

    skip_hook: bool = False
    fast_fail: bool = False
    records: Literal["changed", "all"] = Field(default="changed", description="which records a run looks at")
    batch_size: int | None = Field(default=None, ge=1, description="at most so many records in a request")
    max_failed_share: float = Field(
        default=0.5, ge=0, le=1, description="more failed records than this share and the run is red"
    )
    min_delivered: int = Field(default=0, ge=0, description="fewer delivered records than this and the run is red")
    approve_above: int = Field(
        default=50_000,
        ge=0,
        description="a run that would start journeys for more records than this waits for a person's approval",
    )
    unusual_factor: float = Field(
        default=40, gt=1, description="so many times the usual size, and the run waits for a person's approval"
    )
    max_gone_share: float = Field(
        default=0.05, ge=0, le=1, description="if more of what was delivered is gone, a person must approve"
    )


class PushDefinition(DefinitionModel):
    """Hold what a person says about one push (`definitions/pushes/<push>.yaml`)."""

    push: Slug
    org: Slug
    owner: str = "data"
    description: str = ""
    direction: str = "to_platform"
    production: bool = Field(default=False, description="refuse the records of a sandbox org")
    source: Source
    destination: Target
    schedule: Cron
    match: Match | None = Field(default=None, description="whom to touch at the platform; None: what is usual there")
    nulls: Literal["leave", "clear"] = Field(default="leave", description="what a field that is empty now does there")
    gone: Gone = Field(default="ignore", description="what to do there about records that are gone")
    identifiers: Identifiers
    attributes: dict[AttributeName, Mapped] = {}
    custom_attributes: dict[AttributeName, Mapped] = {}
    fixed: dict[AttributeName, Scalar] = {}
    custom_fixed: dict[AttributeName, Scalar] = {}
    phone: Phone = Phone()
    event: EventDefinition | None = None
    gate: Gate = Gate()
    options: PushOptions = PushOptions()

    @field_validator("direction")
    @classmethod
    def _one_way(cls, direction: str) -> str:
        return refuse_way_back(direction)

    @field_validator("match")
    @classmethod
    def _match_can_be_kept(cls, match: Match | None, info: ValidationInfo) -> Match | None:
        platform = _platform(info)
        if platform and match and match not in platform.capabilities.matches:
            can = ", ".join(sorted(platform.capabilities.matches))
            raise ValueError(f"{platform.title} cannot keep to {match.value!r}; it can: {can}")
        return match

    @field_validator("nulls")
    @classmethod
    def _nulls_can_be_cleared(cls, nulls: str, info: ValidationInfo) -> str:
        platform = _platform(info)
        if platform and nulls == "clear" and not platform.capabilities.clears_nulls:
            raise ValueError(f"{platform.title} cannot empty an attribute; write `leave`")
        return nulls

    @field_validator("gone")
    @classmethod
    def _gone_can_be_followed(cls, gone: Gone, info: ValidationInfo) -> Gone:
        platform = _platform(info)
        if platform and gone != "ignore" and ProfileAction(gone) not in platform.capabilities.gone:
            can = ", ".join(["ignore", *sorted(platform.capabilities.gone)])
            raise ValueError(f"{platform.title} has no way to {gone} a profile; it can: {can}")
        return gone

    @field_validator("attributes", "custom_attributes", "fixed", "custom_fixed")
    @classmethod
    def _names_are_taken(cls, named: dict[str, object], info: ValidationInfo) -> dict[str, object]:
        _insist_on_names(list(named), info, _NAMES)
        return named

    @field_validator("event")
    @classmethod
    def _event_names_are_taken(cls, event: EventDefinition | None, info: ValidationInfo) -> EventDefinition | None:
        if event is not None:
            _insist_on_names([event.name] if event.name else [], info, _EVENT_NAMES)
            groups = (event.params, event.custom_params, event.fixed_params, event.custom_fixed_params)
            _insist_on_names([name for group in groups for name in group], info, _NAMES)
            source = info.data.get("source")
            if source and source.model and source.stamp is None and event.when == "changed":
                raise ValueError(
                    "an event for each change needs `source.stamp`, the column of the model that says when a row last"
                    " changed; or write `when: every_run`"
                )
        return event

    @field_validator("options")
    @classmethod
    def _options_suit_platform(cls, options: PushOptions, info: ValidationInfo) -> PushOptions:
        platform = _platform(info)
        if platform and options.skip_hook and not platform.capabilities.skip_hook:
            raise ValueError(without_skip_hook(platform))
        if platform and (options.batch_size or 0) > platform.max_batch:
            raise ValueError(f"{platform.title} takes at most {platform.max_batch:,} records in a request (batch_size)")
        return options

    @model_validator(mode="after")
    def _says_something(self) -> PushDefinition:
        if not (self.attributes or self.custom_attributes or self.fixed or self.custom_fixed or self.event):
            raise ValueError("map at least one attribute or an event: the platform refuses a profile without either")
        return self

    @property
    def platform(self) -> Platform:
        """Return what is known of the platform."""
        return PLATFORMS[self.destination.platform]

    @property
    def match_policy(self) -> Match:
        """Return whom the push touches at the platform."""
        return self.match or self.platform.default_match

    @property
    def batch_size(self) -> int:
        """Return the most records in a request."""
        return self.options.batch_size or self.platform.max_batch

    @property
    def gone_action(self) -> ProfileAction | None:
        """Return what is done to the profile of a record that is gone; None: nothing."""
        return None if self.gone == "ignore" else ProfileAction(self.gone)

    @property
    def mapped_fields(self) -> tuple[tuple[str, MappedField], ...]:
        """Return every mapped field, as (key in the file, field)."""
        found = [(f"identifiers.{kind}", each) for kind, fields in self.identifiers.standard.items() for each in fields]
        groups: list[tuple[str, dict[str, MappedField]]] = [
            ("identifiers.custom", self.identifiers.custom),
            ("attributes", self.attributes),
            ("custom_attributes", self.custom_attributes),
        ]
        if self.event:
            groups += [("event.params", self.event.params), ("event.custom_params", self.event.custom_params)]
        return tuple(found) + tuple((f"{key}.{name}", field) for key, group in groups for name, field in group.items())

    @property
    def field_paths(self) -> tuple[tuple[str, str], ...]:
        """Return every field that the push maps, as (key in the file, path): what must exist in the source."""
        found = [(key, each.field) for key, each in self.mapped_fields]
        if self.phone.country_field:
            found.append(("phone.country_field", self.phone.country_field))
        if self.event and self.event.name_field:
            found.append(("event.name_field", self.event.name_field))
        if self.event and self.event.time != "processing":
            found.append(("event.time", self.event.time))
        return tuple(found)


def without_skip_hook(platform: Platform) -> str:
    """Return what to say to somebody who asks for skip hook where there is none."""
    return (
        f"{platform.title} has no way to take data without starting journeys: take skip_hook out, and pause the"
        " journeys at the platform while much is sent"
    )


def _platform(info: ValidationInfo) -> Platform | None:
    target = info.data.get("destination")
    return PLATFORMS[target.platform] if target else None


def _insist_on_names(names: list[str], info: ValidationInfo, rules: Mapping[str, tuple[re.Pattern[str], str]]) -> None:
    platform = _platform(info)
    if platform is None or platform.name not in rules:
        return
    pattern, words = rules[platform.name]
    wrong = [name for name in names if not pattern.fullmatch(name)]
    if wrong:
        raise ValueError(f"{platform.title} takes only {words} in a name; mend {', '.join(wrong)}")

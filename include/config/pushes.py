"""The definition of a push: which records go where, as what, and under which guards."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from include.config.model import ApiName, Cron, DefinitionModel, FieldPath, Slug

EventName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$")]
Scalar = str | int | float | bool
# One field, or several of which the first that holds a valid value is taken.
FieldPaths = Annotated[
    tuple[FieldPath, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
    Field(min_length=1),
]


class Source(DefinitionModel):
    """Name the object that the records come from."""

    object: ApiName


class Target(DefinitionModel):
    """Name the platform and the Airflow connection that leads to it."""

    platform: Literal["insider_one"]
    connection: str = Field(min_length=1)


class Identifiers(DefinitionModel):
    """Say which fields identify a person at the platform; at least one.

    Of several fields, as in ``phone_number: [MobilePhone, Phone]``, the first that holds a valid value is taken.
    """

    email: FieldPaths | None = None
    phone_number: FieldPaths | None = None
    uuid: FieldPaths | None = None
    custom: dict[AttributeName, FieldPath] = {}

    @model_validator(mode="after")
    def _at_least_one(self) -> Identifiers:
        if not (self.email or self.phone_number or self.uuid or self.custom):
            raise ValueError("name at least one of email, phone_number, uuid or custom")
        return self


class Phone(DefinitionModel):
    """Say how phone numbers without a country are read (E.164)."""

    default_country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    country_field: FieldPath | None = None


class EventDefinition(DefinitionModel):
    """Say which event goes with each record: its name, its time, its parameters."""

    name: EventName | None = None
    name_field: FieldPath | None = None
    time: Literal["processing"] | FieldPath = "processing"
    when: Literal["changed", "every_run"] = "changed"
    params: dict[AttributeName, FieldPath] = {}
    custom_params: dict[AttributeName, FieldPath] = {}
    fixed_params: dict[AttributeName, Scalar] = {}
    custom_fixed_params: dict[AttributeName, Scalar] = {}

    @model_validator(mode="after")
    def _one_name(self) -> EventDefinition:
        if (self.name is None) == (self.name_field is None):
            raise ValueError("give either name (fixed) or name_field (taken from a field), not both")
        return self


class Gate(DefinitionModel):
    """Say how the health gate treats this push."""

    enabled: bool = True
    max_age_hours: float = Field(default=30, gt=0, le=8760, description="an older assessment counts as none")
    without_assessment: Literal["stop", "pass"] = "stop"


class PushOptions(DefinitionModel):
    """Hold what a run of the push does unless its parameters say otherwise."""

    skip_hook: bool = False
    fast_fail: bool = False
    batch_size: int = Field(default=1000, ge=1, le=1000)
    max_failed_share: float = Field(
        default=0.5, ge=0, le=1, description="more failed records than this share and the run is red"
    )
    approve_above: int = Field(
        default=50_000,
        ge=0,
        description="a run that would start journeys for more records than this waits for a person's approval",
    )


class PushDefinition(DefinitionModel):
    """Hold what a person says about one push (`definitions/pushes/<push>.yaml`)."""

    push: Slug
    org: Slug
    owner: str = "data"
    description: str = ""
    source: Source
    destination: Target
    schedule: Cron
    identifiers: Identifiers
    attributes: dict[AttributeName, FieldPath] = {}
    custom_attributes: dict[AttributeName, FieldPath] = {}
    fixed: dict[AttributeName, Scalar] = {}
    custom_fixed: dict[AttributeName, Scalar] = {}
    phone: Phone = Phone()
    event: EventDefinition | None = None
    gate: Gate = Gate()
    options: PushOptions = PushOptions()

    @model_validator(mode="after")
    def _says_something(self) -> PushDefinition:
        if not (self.attributes or self.custom_attributes or self.fixed or self.custom_fixed or self.event):
            raise ValueError("map at least one attribute or an event: the platform refuses a profile without either")
        return self

    @property
    def field_paths(self) -> tuple[tuple[str, str], ...]:
        """Return every field that the push reads, as (key in the file, path): what must exist in the org."""
        found: list[tuple[str, str]] = []
        for kind in ("email", "phone_number", "uuid"):
            found += [(f"identifiers.{kind}", path) for path in getattr(self.identifiers, kind) or ()]
        groups: list[tuple[str, dict[str, str]]] = [
            ("identifiers.custom", self.identifiers.custom),
            ("attributes", self.attributes),
            ("custom_attributes", self.custom_attributes),
        ]
        if self.phone.country_field:
            found.append(("phone.country_field", self.phone.country_field))
        if self.event:
            groups += [("event.params", self.event.params), ("event.custom_params", self.event.custom_params)]
            found += [("event.name_field", self.event.name_field)] if self.event.name_field else []
            found += [("event.time", self.event.time)] if self.event.time != "processing" else []
        return tuple(found) + tuple((f"{key}.{name}", path) for key, group in groups for name, path in group.items())

"""What of a record goes where: identifiers, attributes and events of a push, each from a field, perhaps transformed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from include.config.model import DefinitionModel, FieldPath

EventName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$", max_length=255)]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9$_][A-Za-z0-9 $._-]*$", max_length=255)]
Scalar = str | int | float | bool
Transform = Literal["lower", "upper", "trim", "date", "datetime", "boolean", "number", "list", "hash"]
InvalidPolicy = Literal["skip_record", "drop_identifier", "send_as_is", "fail_run"]

_ONE_WAY = (
    "a push carries records from Salesforce to the platform; the way back is not there yet: take `direction` out, or"
    " the field out of the mapping"
)


def refuse_way_back(direction: str) -> str:
    """Return the direction that there is.

    Raises:
        ValueError: it is another one.
    """
    if direction == "to_salesforce":
        raise ValueError(_ONE_WAY)
    if direction != "to_platform":
        raise ValueError("write `to_platform`, or nothing")
    return direction


# A label is let through, so that whoever knows the source can say which API name it belongs to.
FieldName = Annotated[str, StringConstraints(pattern=r'^\w[^"\x00-\x1f]*$', max_length=255)]


class MappedField(DefinitionModel):
    """Name the field that a value comes from, and what is done to the value on its way, in order."""

    field: FieldName
    transform: tuple[Transform, ...] = ()
    direction: str = "to_platform"

    @field_validator("transform", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("direction")
    @classmethod
    def _one_way(cls, value: str) -> str:
        return refuse_way_back(value)

    @model_validator(mode="after")
    def _hash_comes_last(self) -> MappedField:
        if "hash" in self.transform[:-1]:
            raise ValueError("`hash` stands last: nothing can be read out of a hash")
        return self


def _as_field(value: Any) -> Any:
    return {"field": value} if isinstance(value, str) else value


Mapped = Annotated[MappedField, BeforeValidator(_as_field)]
# One field, or several of which the first that holds a valid value is taken.
MappedFields = Annotated[
    tuple[Mapped, ...],
    BeforeValidator(lambda value: value if isinstance(value, list | tuple) else (value,)),
    Field(min_length=1),
]


class Identifiers(DefinitionModel):
    """Say which fields identify a person at the platform; at least one.

    Of several fields, as in ``phone_number: [MobilePhone, Phone]``, the first that holds a valid value is taken.
    """

    email: MappedFields | None = None
    phone_number: MappedFields | None = None
    uuid: MappedFields | None = None
    custom: dict[AttributeName, Mapped] = {}
    invalid: InvalidPolicy = Field(
        default="drop_identifier", description="what to do when a value is no valid identifier"
    )

    @model_validator(mode="after")
    def _at_least_one(self) -> Identifiers:
        if not (self.email or self.phone_number or self.uuid or self.custom):
            raise ValueError("name at least one of email, phone_number, uuid or custom")
        return self

    @property
    def standard(self) -> dict[str, tuple[MappedField, ...]]:
        """Return the fields of each standard identifier that is mapped."""
        found = {"email": self.email, "phone_number": self.phone_number, "uuid": self.uuid}
        return {name: fields for name, fields in found.items() if fields}


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
    params: dict[AttributeName, Mapped] = {}
    custom_params: dict[AttributeName, Mapped] = {}
    fixed_params: dict[AttributeName, Scalar] = {}
    custom_fixed_params: dict[AttributeName, Scalar] = {}

    @model_validator(mode="after")
    def _one_name(self) -> EventDefinition:
        if (self.name is None) == (self.name_field is None):
            raise ValueError("give either name (fixed) or name_field (taken from a field), not both")
        return self

"""What all definitions share: strict, frozen models and the small types that their keys have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


class DefinitionModel(BaseModel):
    """Be the base of every definition: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _five_fields(text: str) -> str:
    from croniter import (
        CroniterBadDateError,
        croniter,
    )  # Airflow's own cron library; costs nothing until a definition is read

    if len(text.split()) != 5 or not croniter.is_valid(text):  # type: ignore[no-untyped-call]
        raise ValueError(f"{text!r} is not a cron expression of five fields, such as '0 * * * *' for hourly")
    try:
        croniter(text, datetime(2000, 1, 1, tzinfo=UTC)).get_next()  # type: ignore[no-untyped-call]
    except CroniterBadDateError as error:
        raise ValueError(f"{text!r} names a date that never comes") from error
    return text


# Lower-case name that becomes part of DAG ids and schema names.
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")]
# API name of an object or field; may follow relationships, as in Account.Name.
ApiName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=80)]
FieldPath = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*){0,5}$", max_length=255)
]
Cron = Annotated[str, AfterValidator(_five_fields)]

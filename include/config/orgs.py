"""The definition of an org: which connection, which objects, when and how they are read."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from include.config.budget import BudgetDefinition
from include.config.duplicates import MatchDefinition, misspelt, with_standard
from include.config.filters import Filter
from include.config.health import HealthDefinition
from include.config.model import ApiName, Cron, DefinitionModel, Slug
from include.config.notify import ChannelDefinition
from include.config.probable_duplicates import ProbableDuplicates
from include.config.queries import QueryDefinition
from include.config.schema_changes import SchemaChangesDefinition

DEFAULT_OBJECTS = ("Account", "Contact", "Lead", "Opportunity")


class ObjectGroup(DefinitionModel):
    """Hold objects that are read on a schedule of their own."""

    name: Slug
    schedule: Cron
    objects: tuple[ApiName, ...] = Field(min_length=1)


class OrgDefinition(DefinitionModel):
    """Hold what a person says about one org (`definitions/orgs/<org>.yaml`)."""

    org: Slug
    connection: str = Field(min_length=1, description="id of an Airflow connection of type salesforce")
    owner: str = "data"
    schedule: Cron = "0 * * * *"
    objects: tuple[ApiName, ...] = Field(default=DEFAULT_OBJECTS, min_length=1)
    groups: tuple[ObjectGroup, ...] = Field(
        default=(), description="objects that are read on another schedule than the rest"
    )
    filters: dict[ApiName, Filter] = Field(
        default={}, description="objects of which only some records are read, with the conditions for them"
    )
    queries: tuple[QueryDefinition, ...] = Field(
        default=(), description="SOQL whose results become tables; read with the objects, or in a group by their names"
    )
    health_schedule: Cron = "0 6 * * *"
    reconcile_schedule: Cron = "30 2 * * *"
    metadata_schedule: Cron = Field(default="40 * * * *", description="when fields and deletions are asked for")
    schema_changes: SchemaChangesDefinition = SchemaChangesDefinition()
    budget: BudgetDefinition = BudgetDefinition()
    notify: tuple[ChannelDefinition, ...] = ()
    duplicates: Annotated[dict[ApiName, MatchDefinition], BeforeValidator(with_standard)] = Field(
        default={}, validate_default=True, description="by which fields the records of an object are compared"
    )
    health: HealthDefinition = HealthDefinition()
    probable_duplicates: ProbableDuplicates = ProbableDuplicates()
    max_vanished_share: float = Field(
        default=0.05, ge=0, le=1, description="a larger share of an object that is gone at once waits for a person"
    )
    api_version: str = Field(default="63.0", pattern=r"^\d{2}\.0$")
    lookback_minutes: int = Field(default=10, ge=0, le=1440)
    lag_seconds: int = Field(default=0, ge=0, le=3600)
    bulk_above_rows: int = Field(
        default=10_000, ge=0, description="more rows than this are read by Bulk API 2.0 instead of REST"
    )
    slice_rows: int = Field(
        default=1_000_000, ge=100, description="a larger window is read in slices of about this many rows, a job each"
    )
    jobs_at_once: int = Field(default=4, ge=1, le=20, description="so many of them may run in the org at one time")

    @model_validator(mode="after")
    def _objects_are_read_once(self) -> OrgDefinition:
        """Refuse an object in two groups: two schedules would move one cursor."""
        for names in (self.objects, *(group.objects for group in self.groups)):
            twice = {each for each in names if [other.lower() for other in names].count(each.lower()) > 1}
            if twice:
                raise ValueError(f"{', '.join(sorted(twice))} stands twice among the objects; name each once")
        seen: set[str] = set()
        if len({group.name for group in self.groups}) != len(self.groups):
            raise ValueError("two groups have the same name; give each its own")
        for group in self.groups:
            for name in group.objects:
                if name in seen:
                    raise ValueError(f"{name} stands in two groups; an object is read on one schedule")
                seen.add(name)
        return self

    @model_validator(mode="after")
    def _filters_are_of_objects_that_are_read(self) -> OrgDefinition:
        """Refuse a filter that would never be used: its object may be misspelt, and would be read whole."""
        unknown = sorted(set(self.filters) - set(self.all_objects))
        if unknown:
            raise ValueError(f"`filters` names {', '.join(unknown)}, which is not read; add it to `objects`")
        return self

    @model_validator(mode="after")
    def _policies_are_of_objects_that_are_read(self) -> OrgDefinition:
        """Refuse a policy that would never be used: its object may be misspelt."""
        unknown = sorted(set(self.schema_changes.objects) - set(self.all_objects))
        if unknown:
            raise ValueError(
                f"`schema_changes.objects` names {', '.join(unknown)}, which is not read; add it to `objects`"
            )
        return self

    @model_validator(mode="after")
    def _objects_to_compare_are_read(self) -> OrgDefinition:
        """Refuse to compare what is not there."""
        unknown = sorted(set(self.probable_duplicates.objects) - set(self.all_objects))
        if unknown:
            raise ValueError(
                f"`probable_duplicates` names {', '.join(unknown)}, which is not read; add it to `objects`"
            )
        return self

    @model_validator(mode="after")
    def _duplicates_are_of_objects_that_are_read(self) -> OrgDefinition:
        """Refuse fields of an object that nobody reads: its name may be misspelt."""
        unknown = sorted(set(self.duplicates) - set(self.all_objects) - set(DEFAULT_OBJECTS))
        if unknown:
            near = get_close_matches(unknown[0], self.all_objects, n=1)
            raise ValueError(
                f"`duplicates` names {', '.join(unknown)}, which is not read; add it to `objects`"
                + (f", or did you mean {near[0]}?" if near else "")
            )
        return self

    @model_validator(mode="after")
    def _fields_of_duplicates_are_spelt_right(self) -> OrgDefinition:
        """Refuse what can only be a slip: the field would not be compared, and hardly anybody would notice."""
        for object, definition in self.duplicates.items():
            for role, meant in misspelt(object, definition).items():
                written = getattr(definition, role)
                raise ValueError(f"duplicates.{object}.{role}: {object} has no field {written}; did you mean {meant}?")
        return self

    @model_validator(mode="after")
    def _queries_have_names_of_their_own(self) -> OrgDefinition:
        """Refuse two tables of one name."""
        names = [each.name for each in self.queries]
        taken = {each.lower() for each in self.objects}
        for name in names:
            if names.count(name) > 1 or name in taken:
                raise ValueError(f"{name!r} is the name of another query or object; give each its own")
        return self

    @property
    def all_groups(self) -> tuple[ObjectGroup, ...]:
        """Return every group, the default one first and named ""; together they hold each object and query once."""
        grouped = {name for group in self.groups for name in group.objects}
        names = (*self.objects, *(each.name for each in self.queries))
        rest = tuple(name for name in names if name not in grouped)
        default = (ObjectGroup.model_construct(name="", schedule=self.schedule, objects=rest),) if rest else ()
        return default + self.groups

    @property
    def all_sources(self) -> tuple[str, ...]:
        """Return every object and query that is read, once each."""
        return tuple(name for group in self.all_groups for name in group.objects)

    @property
    def all_objects(self) -> tuple[str, ...]:
        """Return every object that is read, once each."""
        return tuple(name for name in self.all_sources if self.query(name) is None)

    def query(self, name: str) -> QueryDefinition | None:
        """Return the query of this name, or None: it is an object."""
        return next((each for each in self.queries if each.name == name), None)

    @property
    def schema_name(self) -> str:
        """Return the warehouse schema that holds this org's tables."""
        return f"salesforce_{self.org}"

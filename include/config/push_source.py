"""Where the records of a push come from: an object of the warehouse, a query of the extract, or a SELECT over both."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from include.config.filters import Filter
from include.config.model import ApiName, DefinitionModel, FieldPath, Slug


class Source(DefinitionModel):
    """Name one source: `object`, `query` or `model`.

    `sql` and `objects` are no keys of the file: the loader fills them in (and `key`, where the file leaves it out).
    """

    object: ApiName | None = Field(default=None, description="an object that the org reads")
    filter: Filter | None = Field(default=None, description="only records that meet each of these; of an object")
    query: Slug | None = Field(default=None, description="a query of the org's definition")
    model: Slug | None = Field(default=None, description="a file definitions/models/<model>.sql with one SELECT")
    key: FieldPath = Field(default="Id", description="the column by which a record is known again")
    stamp: FieldPath | None = Field(
        default=None, description="of a model: the column that says when a row last changed"
    )
    sql: str = Field(default="", description="of a model: what its file says")
    objects: tuple[ApiName, ...] = Field(default=(), description="the objects that a query or model reads")

    @field_validator("sql", "objects")
    @classmethod
    def _not_written_here(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if value:
            raise ValueError("not to be written here: the SELECT stands in definitions/models/<model>.sql")
        return value

    @model_validator(mode="after")
    def _one_source(self) -> Source:
        named = [each for each in ("object", "query", "model") if getattr(self, each) is not None]
        if len(named) != 1:
            raise ValueError("name one source: object, query or model")
        if self.filter is not None and self.object is None:
            raise ValueError(f"a filter belongs to an object; write the condition into the {named[0]} itself")
        if self.stamp is not None and self.model is None:
            raise ValueError(f"a stamp belongs to a model; an {named[0]}'s is known")
        if self.object is not None and "key" in self.model_fields_set:
            raise ValueError("a record of an object is known by its Id; take `key` out")
        return self

    @property
    def name(self) -> str:
        """Return the name of the object, query or model."""
        return self.object or self.query or self.model or ""

    @property
    def kind(self) -> str:
        """Return which of the three it is, as a word."""
        return "object" if self.object else "query" if self.query else "model"

    @property
    def objects_read(self) -> tuple[str, ...]:
        """Return the Salesforce objects that the records come from."""
        return (self.object,) if self.object else self.objects

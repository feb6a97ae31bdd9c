"""A query of a person's own: its result becomes a table like that of an object."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from include.config.model import DefinitionModel, FieldPath, Slug
from include.config.query_text import PLACEHOLDER, QueryText, has_limit, placeholders, read_query


class QueryDefinition(DefinitionModel):
    """Hold what a person says about one query (`queries` of an org's definition)."""

    name: Slug = Field(description="of its table, and of its task")
    soql: str = Field(min_length=1, max_length=90_000)
    mode: Literal["incremental", "full"] = "incremental"
    key: FieldPath = Field(default="Id", description="the column by which a row is known again")
    max_vanished_share: float | None = Field(default=None, ge=0, le=1, description="instead of the org's; `full` only")

    @field_validator("soql")
    @classmethod
    def _becomes_a_table(cls, soql: str) -> str:
        read_query(soql)
        return soql.strip()

    @model_validator(mode="after")
    def _placeholder_suits_mode(self) -> QueryDefinition:
        """Refuse a query that would read everything each time unasked, or lose rows."""
        there, in_texts = placeholders(self.soql)
        if in_texts:
            raise ValueError(f"{PLACEHOLDER} becomes a time, which SOQL takes without quotes; take them away")
        if self.mode == "incremental" and not there:
            raise ValueError(
                f"an incremental query needs {PLACEHOLDER}, as in `WHERE SystemModstamp >= {PLACEHOLDER}`;"
                " to read everything each time write `mode: full`"
            )
        if self.mode == "full" and there:
            raise ValueError(f"a full query reads everything: take {PLACEHOLDER} out, or write `mode: incremental`")
        if self.mode == "incremental" and has_limit(self.soql):
            raise ValueError("LIMIT or OFFSET would lose what lies behind it for good; write `mode: full`")
        if self.mode == "incremental" and not self.parts.is_plain:
            raise ValueError("sums and groups change as a whole; write `mode: full`")
        if self.key.lower() not in (each.name.lower() for each in self.parts.columns):
            raise ValueError(f"the key {self.key} is not selected; add it to SELECT, or name another column as `key`")
        return self

    @property
    def parts(self) -> QueryText:
        """Return the query taken apart."""
        return read_query(self.soql)

"""Read the JSON body of a request, once it is known who sends it.

FastAPI would read and parse it before it asks for the login: a stranger's could be as large as they like, and a broken
one would be answered otherwise than a good one.
"""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from headwater.ui.bounded import bounded_body

LONGEST = 100_000  # bytes
REFERENCE = "#/components/schemas/{model}"

Body = TypeVar("Body", bound=BaseModel)


def described_body(model: type[BaseModel]) -> dict[str, Any]:
    """Return what the OpenAPI document says of a body; `schemas_of` gives the schemas that it names."""
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": REFERENCE.format(model=model.__name__)}}},
        }
    }


def schemas_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schemas of a body and of what it holds, by name."""
    schema = model.model_json_schema(ref_template=REFERENCE)
    return {**schema.pop("$defs", {}), model.__name__: schema}


async def read_body(request: Request, model: type[Body]) -> Body:
    """Return the body of a request.

    Raises:
        HTTPException: it is no JSON by its own word (415), too long (413), too slow (408) or broke off (400).
        RequestValidationError: it is not what it should be.
    """
    body = await bounded_body(request, "application/json", longest=LONGEST)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in found]) from error

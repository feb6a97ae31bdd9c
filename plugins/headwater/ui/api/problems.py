"""Say what went wrong as RFC 9457 has it: `application/problem+json`, for every refusal below /api/."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
BELOW = "/api/"


class WrongValue(BaseModel):
    """Name one value of a request that is wrong; the value itself is not repeated."""

    where: str = Field(description="Where it stands, e.g. `query.limit`.")
    message: str


class Problem(BaseModel):
    """Say why a request was not answered."""

    type: str = Field(default="about:blank", description="`about:blank`: the status says which kind of problem it is.")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="What is wrong here, for a person.")
    errors: list[WrongValue] | None = Field(default=None, description="Of 422: each value that is wrong.")


REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "Nobody is signed in, or the token has expired."},
    403: {"model": Problem, "description": "The token is not Airflow's, or its user may not do this."},
    404: {"model": Problem, "description": "There is no such thing."},
    422: {"model": Problem, "description": "A value of the request is none that may stand there."},
    503: {"model": Problem, "description": "The warehouse does not answer; ask again after `Retry-After` seconds."},
}


def is_for_api(request: Request) -> bool:
    """Return whether a request is one of the API's."""
    root: str = request.scope.get("root_path", "")
    path: str = request.scope.get("path", "")
    return path.removeprefix(root).startswith(BELOW)


def problem(
    status: int, detail: str, *, headers: Mapping[str, str] | None = None, errors: Sequence[WrongValue] | None = None
) -> JSONResponse:
    """Return a problem as an answer."""
    told = Problem(
        title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(errors) if errors else None
    )
    return JSONResponse(
        told.model_dump(exclude_none=True), status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def wrong_values(request: Request, error: Exception) -> JSONResponse:
    """Answer a request whose values are wrong; what was sent is not repeated, it may be a person's."""
    assert isinstance(error, RequestValidationError)
    found = [
        WrongValue(where=".".join(str(part) for part in each["loc"]), message=str(each["msg"]))
        for each in error.errors()
    ]
    return problem(422, "The request holds values that may not stand there.", errors=found)

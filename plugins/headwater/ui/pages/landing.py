"""Lead from the entry in the navigation to the first page."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse

router = APIRouter()


@router.get("/")
def landing(request: Request) -> RedirectResponse:
    """Go to the overview."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}/overview", status_code=307)

"""Read the org's own count of API calls from its ``Sforce-Limit-Info`` header; pure.

The header says ``api-usage=10018/100000``, and with a per-app quota also
``; per-app-api-usage=17/250(appName=sample-connected-app)``. The count is updated late and is not exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PART = re.compile(r"(?P<key>[\w-]+)=(?P<used>\d+)/(?P<limit>\d+)(?:\(appName=(?P<app>[^)]*)\))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiUsage:
    """Hold how many calls the org counted in its rolling 24 hours, and its allocation."""

    used: int
    limit: int
    app: str = ""
    app_used: int | None = None
    app_limit: int | None = None


def read_limit_info(header: str | None) -> ApiUsage | None:
    """Return what the header says, or None when it is missing or says nothing about API usage."""
    parts = {match["key"]: match for match in _PART.finditer(header or "")}
    org = parts.get("api-usage")
    if org is None:
        return None
    own = parts.get("per-app-api-usage")
    return ApiUsage(
        used=int(org["used"]),
        limit=int(org["limit"]),
        app=(own["app"] or "") if own else "",
        app_used=int(own["used"]) if own else None,
        app_limit=int(own["limit"]) if own else None,
    )

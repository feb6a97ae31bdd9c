"""Which API versions there are, and what a version offers."""

from __future__ import annotations

import re
from typing import Any

from include.sandbox.org.http.call import Answer, Call

FIRST, LAST = 31, 67
_SEASONS = ("Spring", "Summer", "Winter")
_RESOURCES = (
    "tooling", "metadata", "folders", "chatter", "tabs", "appMenu", "quickActions", "queryAll", "wave", "analytics",
    "search", "composite", "parameterizedSearch", "theme", "event", "recent", "connect", "licensing", "limits",
    "process", "async-queries", "query", "jobs", "mobile", "emailConnect", "consent", "compactLayouts", "sobjects",
    "actions", "support",
)  # fmt: skip


def known_version(text: str) -> str | None:
    """Return a version as it stands in paths without its `v`, or None if there is none such."""
    match = re.fullmatch(r"(\d{2})\.0", text)
    return text if match and FIRST <= int(match.group(1)) <= LAST else None


def list_versions() -> list[dict[str, str]]:
    """Return all versions, oldest first; three releases a year, 60.0 was Spring '24."""
    return [
        {"label": f"{_label(number)}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in range(FIRST, LAST + 1)
    ]


def _label(number: int) -> str:
    year, season = divmod(number - 60, 3)
    # Winter releases carry the name of the year that follows.
    return f"{_SEASONS[season]} '{24 + year + (1 if season == 2 else 0):02d}"


def list_resources(call: Call) -> Answer:
    """Answer GET /services/data/vXX.X: name to path."""
    body: dict[str, Any] = {name: f"/services/data/v{call.version}/{name}" for name in _RESOURCES}
    body["identity"] = f"{call.base_url}/id/{call.org.org_id}/{call.user_id}"
    return Answer(body=body)

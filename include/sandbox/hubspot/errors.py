"""What HubSpot says when it refuses."""

from __future__ import annotations

import uuid
from typing import Any

from include.sandbox.platform.answer import Answer


class Refused(Exception):
    """Say that a whole request is refused, and with what."""

    def __init__(self, status: int, category: str, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(status=status, body=error(category, message))


def error(category: str, message: str, **more: Any) -> dict[str, Any]:
    """Return the body of a refusal."""
    correlation = str(uuid.uuid4())
    return {"status": "error", "message": message, "correlationId": correlation, "category": category, **more}


def invalid_property(code: str, name: str, what: str) -> str:
    """Return the text in which the platform packs what is wrong with a property."""
    return f'Property values were not valid: [{{"isValid":false,"message":"{what}","error":"{code}","name":"{name}"}}]'


BODIES: dict[int, Any] = {
    400: error("VALIDATION_ERROR", "Invalid input JSON"),
    401: error("INVALID_AUTHENTICATION", "Authentication credentials not found."),
    403: error("MISSING_SCOPES", "This app hasn't been granted all required scopes to make this call."),
    429: error(
        "RATE_LIMITS", "You have reached your ten_secondly_rolling limit.", errorType="RATE_LIMIT",
        policyName="TEN_SECONDLY_ROLLING",
    ),
    477: error("MIGRATION_IN_PROGRESS", "This account is being migrated."),
    500: error("INTERNAL_ERROR", "internal error"),
    502: "<html><body><h1>502 Bad Gateway</h1></body></html>",
    503: "<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>",
    504: "<html><body><h1>504 Gateway Time-out</h1></body></html>",
}  # fmt: skip

"""The one exception of the org: a request that Salesforce would refuse, with the body it would send."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """Carry the HTTP status and the error array of a refused request."""

    def __init__(self, status: int, code: str, message: str, fields: list[str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields

    def body(self) -> list[dict[str, Any]]:
        """Return the error array of the REST API."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            error["fields"] = self.fields
        return [error]


def not_found(message: str = "The requested resource does not exist") -> Refusal:
    """Return the refusal of a path, an object or a record that isn't there."""
    return Refusal(404, "NOT_FOUND", message)

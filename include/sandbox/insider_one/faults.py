"""What Insider One says when it answers with an error of its own, by status."""

from __future__ import annotations

from typing import Any

BODIES: dict[int, Any] = {
    400: {"error": "users must be defined: bad request"},
    401: {"success": False, "message": "Partner token authentication failed."},
    403: {
        "success": False,
        "message": "Access Denied. You do not have sufficient access to perform this action.",
    },
    429: {"error": "rejected: too many requests"},
    500: {"success": False, "message": "The request processing has failed because of an unknown error."},
    503: "<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>",
    504: "<html><body><h1>504 Gateway Time-out</h1></body></html>",
    520: "<html><body><h1>520 Web server is returning an unknown error</h1></body></html>",
}

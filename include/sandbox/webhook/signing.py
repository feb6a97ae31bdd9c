"""Prove a message as Standard Webhooks 1.0.0 asks of a receiver; pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

TOLERANCE_SECONDS = 300


def refusal(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> str:
    """Return why a message is not believed, or "" if it is."""
    message, timestamp, signatures = (headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not message or not timestamp.isdecimal():
        return "webhook-id or webhook-timestamp is missing"
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return "webhook-timestamp is too far from now"
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = hmac.digest(key, f"{message}.{timestamp}.".encode() + body, hashlib.sha256)
    for each in signatures.split(" "):
        version, _, digest = each.partition(",")
        if version == "v1" and hmac.compare_digest(digest.encode(), base64.b64encode(expected)):
            return ""
    return "webhook-signature does not fit"

"""Decide whether a request is worth making again at once; pure.

Only what only reads is repeated, few times and shortly. What takes longer to pass is left to the caller's own retry.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

MOST_REPEATS = 3
LONGEST_WAIT_SECONDS = 8.0  # a longer Retry-After is handed up as RateLimited

_PASSING_STATUS = frozenset({420, 429, 500, 502, 503, 504})
_PASSING_CODE = frozenset({"UNABLE_TO_LOCK_ROW"})
_LASTING_CODE = frozenset({"QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG"})  # the same question takes as long again


def pause_before_repeat(
    status: int, headers: Mapping[str, str], body: bytes, *, tries: int, jitter: float
) -> float | None:
    """Return how many seconds to wait before asking again, or None when this answer stands.

    Args:
        status: HTTP status of the answer.
        headers: with lower-case names.
        body: as it came.
        tries: how often it has been asked.
        jitter: a factor around 1 that keeps many askers apart.
    """
    code, _ = read_error(body) if status >= 400 else ("", "")
    passing = status in _PASSING_STATUS or code in _PASSING_CODE
    if not passing or code in _LASTING_CODE or tries > MOST_REPEATS:
        return None
    asked = retry_after(headers) or 0.0
    return None if asked > LONGEST_WAIT_SECONDS else max(asked, backoff(tries, jitter))


def backoff(tries: int, jitter: float) -> float:
    """Return the pause after a number of tries: 0.2 s, 0.5 s, 1.25 s."""
    return float(0.2 * 2.5 ** (tries - 1) * jitter)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds in a Retry-After header, or None; Salesforce does not use its date form."""
    text = headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() else None


def read_error(body: bytes) -> tuple[str, str]:
    """Return errorCode and message of the first error in a body, or two empty strings."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return "", ""
    first = parsed[0] if isinstance(parsed, list) and parsed else parsed
    if not isinstance(first, dict):
        return "", ""
    return str(first.get("errorCode") or first.get("exceptionCode") or ""), str(first.get("message") or "")

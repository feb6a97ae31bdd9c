"""What each user looked at last; it lives as long as the org runs."""

from __future__ import annotations

import threading
from collections.abc import Sequence

_MOST = 200


class Recent:
    """Remember records that queries FOR VIEW or FOR REFERENCE returned."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, None]] = {}
        self._lock = threading.Lock()

    def add(self, user_id: str, record_ids: Sequence[str]) -> None:
        """Put records in front, the last one first."""
        with self._lock:
            seen = self._seen.setdefault(user_id, {})
            for record_id in record_ids[-_MOST:]:
                seen.pop(record_id, None)
                seen[record_id] = None
            for old in list(seen)[:-_MOST]:
                del seen[old]

    def of(self, user_id: str, prefix: str = "") -> list[str]:
        """Return the Ids that a user saw last, the latest first."""
        with self._lock:
            return [each for each in reversed(self._seen.get(user_id, {})) if each.startswith(prefix)]

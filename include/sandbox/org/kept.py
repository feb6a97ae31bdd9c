"""Small JSON files that outlive the process: written whole or not at all, and no obstacle when one is torn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson


def write_kept(path: Path, content: Any) -> None:
    """Put new content in a file's place at one stroke."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(orjson.dumps(content))
    fresh.replace(path)


def read_kept(path: Path) -> dict[str, Any] | None:
    """Return what a file holds, or None if it isn't there or a crash of the machine tore it."""
    try:
        found = orjson.loads(path.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None

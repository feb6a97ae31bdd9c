"""Say how a personal value looks to those who may not see it."""

from __future__ import annotations

MASK = "•••"

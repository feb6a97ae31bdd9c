"""Read a country as people write it: "Germany", "DE", "DEU", "Deutschland", "USA"."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import resources


@lru_cache(maxsize=4096)
def country_code(text: str) -> str | None:
    """Return the two-letter code (ISO 3166-1) of a country's code or name in one of some thirty languages, or None."""
    return _names().get(" ".join(text.replace(".", " ").split()).casefold())


@cache
def _names() -> dict[str, str]:
    """Return codes by name; the list is a file of this package because `phonenumbers.geodata` takes 200 MB for it."""
    lines = (resources.files("include.activation") / "country_names.txt").read_text(encoding="utf-8").splitlines()
    names: dict[str, str] = {}
    for line in lines:
        if not line.startswith("#"):
            code, *words = line.split("|")
            names |= dict.fromkeys((code.casefold(), *words), code)
    return names

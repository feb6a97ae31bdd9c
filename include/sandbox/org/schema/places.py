"""Countries by their codes, as custom addresses keep them."""

from __future__ import annotations

COUNTRIES = {
    "AU": "Australia", "BR": "Brazil", "DE": "Germany", "ES": "Spain", "FR": "France", "GB": "United Kingdom",
    "IN": "India", "IT": "Italy", "JP": "Japan", "NL": "Netherlands", "PL": "Poland", "SE": "Sweden", "TR": "Türkiye",
    "US": "United States",
}  # fmt: skip


def named_sql(code: str) -> str:
    """Return the expression of the country's name behind a code."""
    branches = " ".join(f"WHEN '{each}' THEN '{name}'" for each, name in COUNTRIES.items())
    return f"CASE {code} {branches} END"

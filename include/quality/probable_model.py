"""Say what speaks for and against two records being one person, as settings for Splink; pure.

Only candidates are compared: records that share an address, a number, or a name at one company. What agreement is worth
among them is another thing than among any two records: families share a home and a number, colleagues a switchboard. So
what strangers share (u) is measured on candidates whose first names have nothing in common, and what one person's
records share (m) is learnt from all candidates. What names and birthdays say is set here: it is what the rest is
learnt by.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

Model = Mapping[str, Any]

# What is compared, and which blocks make candidates: expressions over the columns, each with the columns that it needs.
COLUMNS = ("first", "last", "email", "phone", "mobile", "company", "zip", "born")
BLOCKS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("email",), "email"),
    (("phone",), "phone"),
    (("mobile",), "mobile"),
    (("company", "last"), "company || chr(31) || last"),
    (("company", "first"), "company || chr(31) || first"),
    (("company", "zip"), "company || chr(31) || zip"),
    (("first", "last", "zip"), "first || chr(31) || last || chr(31) || zip"),
)
LARGEST_BLOCK = 20  # records; what more of them share says nothing
STRANGERS = (
    "l.first IS NOT NULL AND r.first IS NOT NULL AND l.first[1] <> r.first[1]"
    " AND NOT coalesce(list_has_any(l.forms, r.forms), FALSE)"
    " AND jaro_winkler_similarity(l.first, r.first) < 0.7 AND NOT (l.first = r.last AND l.last = r.first)"
)
_SIMILAR = 0.85


def starting_model(columns: Collection[str]) -> dict[str, Any]:
    """Return the settings before anything is learnt; what a column is lacking for is not compared."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "unique_id",
        "probability_two_random_records_match": 0.3,  # of two candidates
        "blocking_rules_to_generate_predictions": [{"blocking_rule": "l.bucket = r.bucket", "sql_dialect": "duckdb"}],
        "comparisons": [each for needs, each in _comparisons() if set(needs) <= set(columns)],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "max_iterations": 20,
        "em_convergence": 0.001,
        "sql_dialect": "duckdb",
    }


def version_of(model: Model) -> str:
    """Return a hash of the settings that a model was learnt from."""
    return hashlib.sha256(json.dumps(model, sort_keys=True).encode()).hexdigest()[:16]


def _comparisons() -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    return [
        (("first", "last"), _names()),
        (("email",), _same("email", m=0.3, u=0.2)),
        (("phone", "mobile"), _numbers()),
        (("zip",), _same("zip", m=0.7, u=0.3)),
        (("company",), _same("company", m=0.75, u=0.6)),
        (("born",), _same("born", m=0.99, u=0.02, fixed=True)),
    ]


def _names() -> dict[str, Any]:
    """Return how names speak: fixed, because the rest is learnt by them."""
    typo = " AND ".join(f'jaro_winkler_similarity("{each}_l", "{each}_r") >= {_SIMILAR}' for each in ("first", "last"))
    return {
        "output_column_name": "name",
        "comparison_levels": [
            _nothing('"last_l" IS NULL OR "last_r" IS NULL OR "first_l" IS NULL OR "first_r" IS NULL'),
            _level("same", '"first_l" = "first_r" AND "last_l" = "last_r"', 0.6, 0.1, fixed=True),
            _level("swapped", '"first_l" = "last_r" AND "last_l" = "first_r"', 0.04, 0.002, fixed=True),
            _level(
                "short form",
                'coalesce(list_has_any("forms_l", "forms_r"), FALSE) AND "last_l" = "last_r"',
                0.14,
                0.01,
                fixed=True,
            ),
            _level("typing error", typo, 0.18, 0.005, fixed=True),
            _level("last name only", '"last_l" = "last_r"', 0.02, 0.4, fixed=True),
            _level("different", "ELSE", 0.02, 0.483, fixed=True),
        ],
    }


def _numbers() -> dict[str, Any]:
    pairs = [(left, right) for left in ("phone", "mobile") for right in ("phone", "mobile")]
    shared = " OR ".join(f'coalesce("{left}_l" = "{right}_r", FALSE)' for left, right in pairs)
    neither = " OR ".join(f'("phone_{side}" IS NULL AND "mobile_{side}" IS NULL)' for side in ("l", "r"))
    return {
        "output_column_name": "number",
        "comparison_levels": [
            _nothing(neither),
            _level("a number in common", shared, 0.6, 0.4),
            _level("none", "ELSE", 0.4, 0.6),
        ],
    }


def _same(column: str, *, m: float, u: float, fixed: bool = False) -> dict[str, Any]:
    return {
        "output_column_name": column,
        "comparison_levels": [
            _nothing(f'"{column}_l" IS NULL OR "{column}_r" IS NULL'),
            _level("same", f'"{column}_l" = "{column}_r"', m, u, fixed=fixed),
            _level("different", "ELSE", 1 - m, 1 - u, fixed=fixed),
        ],
    }


def _nothing(condition: str) -> dict[str, Any]:
    return {"sql_condition": condition, "label_for_charts": "empty", "is_null_level": True}


def _level(label: str, condition: str, m: float, u: float, *, fixed: bool = False) -> dict[str, Any]:
    return {
        "sql_condition": condition,
        "label_for_charts": label,
        "m_probability": m,
        "u_probability": u,
        "fix_m_probability": fixed,
        "fix_u_probability": fixed,
    }

"""Write down what was found as Great Expectations does: real suites and validation results, made from counts.

The checks of a table are judged by predicates in one pass (`include.quality.sweep`); what GX would have answered to
each follows from three numbers. That it does is tested against GX itself. Only an expectation that no predicate can say
is judged by GX (`include.quality.validate`), and its answer is taken over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.config.checks import CheckDefinition
from include.config.folded_expectations import Filled, Folded
from include.quality.suite import build_suite, without_values


@dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """Hold the JSON of one object's suite and of its validation: definitions and counts, no value of a record."""

    suite: dict[str, Any]
    validation: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Count what a check found: live records, those of them that it passes over for an empty field, and bad ones."""

    records: int
    missing: int
    failing: int


def documents_of(
    object: str,
    checks: Sequence[CheckDefinition],
    tallies: Mapping[str, Tally],
    judged: Mapping[str, Mapping[str, Any]],
    *,
    schema: str,
    now: datetime,
) -> Documents:
    """Return the documents of one object.

    Args:
        object: its API name.
        checks: what was judged of it.
        tallies: what each check found.
        judged: the results of GX itself, as JSON, for the checks that it had to judge.
        schema: where the org's tables are.
        now: the moment of the assessment.
    """
    from great_expectations import __version__
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult

    suite = build_suite(object, checks, schema=schema, now=now)
    results = []
    for check, expectation in zip(checks, suite.expectations, strict=True):
        found = judged.get(check.check) or _result(check, tallies[check.check])
        results.append(
            ExpectationValidationResult(
                success=bool(found["success"]),
                expectation_config=expectation.configuration,
                result=dict(found["result"]),
            )
        )
    met = sum(bool(each.success) for each in results)
    validation = ExpectationSuiteValidationResult(
        success=met == len(results),
        results=results,
        suite_name=object,
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": met,
            "unsuccessful_expectations": len(results) - met,
            "success_percent": met / len(results) * 100 if results else None,
        },
        meta={"great_expectations_version": __version__, "validation_time": now.isoformat()},
    )
    return Documents(suite=suite.to_json_dict(), validation=without_values(validation.to_json_dict()))


def _result(check: CheckDefinition, tally: Tally) -> dict[str, Any]:
    """Return GX's result, in its format BASIC, of a check that a predicate has judged."""
    success = tally.failing == 0
    if not isinstance(check.expect, Folded):
        return {"success": success, "result": {"observed_value": tally.failing}}
    counts: dict[str, Any] = {"element_count": tally.records, "unexpected_count": tally.failing}
    if isinstance(check.expect, Filled):
        return {"success": success, "result": counts | {"unexpected_percent": _percent(tally.failing, tally.records)}}
    of_filled = _percent(tally.failing, tally.records - tally.missing)
    return {
        "success": success,
        "result": counts
        | {
            "unexpected_percent": of_filled,
            "missing_count": tally.missing,
            "missing_percent": _percent(tally.missing, tally.records),
            "unexpected_percent_total": _percent(tally.failing, tally.records),
            "unexpected_percent_nonmissing": of_filled,
        },
    }


def _percent(part: int, whole: int) -> float | None:
    return part / whole * 100 if whole else None

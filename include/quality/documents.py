"""Write down what was found as Great Expectations does: real suites and validation results, made from counts.

The checks of a table are judged by predicates in one pass (`include.quality.sweep`); what GX would have answered to
each follows from three numbers. That it does is tested against GX itself. Only an expectation that no predicate can say
is judged by GX (`include.quality.validate`), and its answer is taken over.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from include.config.checks import CheckDefinition
from include.config.folded_expectations import Filled, Folded
from include.quality.light_import import import_great_expectations
from include.quality.predicate import failing_query
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
    before: Documents | None = None,
) -> Documents:
    """Return the documents of one object.

    Great Expectations takes seconds to import. So where the definitions are those of documents that it has written,
    its words are taken over, and only the counts are new.

    Args:
        object: its API name.
        checks: what was judged of it.
        tallies: what each check found.
        judged: the results of GX itself, as JSON, for the checks that it had to judge.
        schema: where the org's tables are.
        now: the moment of the assessment.
        before: the documents of the assessment before.
    """
    stamp = _stamp(object, checks)
    results = [judged.get(check.check) or _result(check, tallies[check.check]) for check in checks]
    if before is not None and before.suite["meta"].get(_STAMP) == stamp:
        return _recounted(before, checks, results, schema=schema, now=now)
    written = _written(object, checks, results, schema=schema, now=now)
    return Documents(
        suite=written.suite | {"meta": written.suite["meta"] | {_STAMP: stamp}}, validation=written.validation
    )


_STAMP = "headwater_definitions"


def _stamp(object: str, checks: Sequence[CheckDefinition]) -> str:
    """Return a hash of all that the documents say beside counts and the moment."""
    kept = {"check", "title", "why", "category", "severity", "bad_when", "expect", "duplicates"}
    said = [check.model_dump(mode="json", include=kept) for check in checks]
    content = json.dumps([version("great_expectations"), object, said])
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def _recounted(
    before: Documents,
    checks: Sequence[CheckDefinition],
    found: Sequence[Mapping[str, Any]],
    *,
    schema: str,
    now: datetime,
) -> Documents:
    """Return documents with other counts, and with this moment in the queries that read the clock."""
    suite, validation = deepcopy(before.suite), deepcopy(before.validation)
    for check, each, expectation, result in zip(
        checks, found, suite["expectations"], validation["results"], strict=True
    ):
        result.update(success=bool(each["success"]), result=dict(each["result"]), meta={})
        if check.expect is None:
            for words in (expectation, result["expectation_config"]):
                words["kwargs"]["unexpected_rows_query"] = failing_query(check.predicate, schema=schema, now=now)
    validation["meta"]["validation_time"] = now.isoformat()
    validation.update(_summary([bool(each["success"]) for each in found]))
    return Documents(suite=suite, validation=without_values(validation))


def _summary(met: Sequence[bool]) -> dict[str, Any]:
    return {
        "success": all(met),
        "statistics": {
            "evaluated_expectations": len(met),
            "successful_expectations": sum(met),
            "unsuccessful_expectations": len(met) - sum(met),
            "success_percent": sum(met) / len(met) * 100 if met else None,
        },
    }


def _written(
    object: str,
    checks: Sequence[CheckDefinition],
    found: Sequence[Mapping[str, Any]],
    *,
    schema: str,
    now: datetime,
) -> Documents:
    """Return the documents as Great Expectations writes them."""
    import_great_expectations()
    from great_expectations import __version__
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult

    suite = build_suite(object, checks, schema=schema, now=now)
    results = [
        ExpectationValidationResult(
            success=bool(each["success"]),
            expectation_config=expectation.configuration,
            result=dict(each["result"]),
        )
        for each, expectation in zip(found, suite.expectations, strict=True)
    ]
    validation = ExpectationSuiteValidationResult(
        **_summary([bool(each["success"]) for each in found]),
        results=results,
        suite_name=object,
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

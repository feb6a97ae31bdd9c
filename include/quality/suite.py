"""Put checks into Great Expectations' words: one ExpectationSuite an object, and the documents that are kept of it.

A check that says `expect` becomes that core expectation. Any other becomes a `HeadwaterFailingRows`: an
UnexpectedRowsExpectation that counts and never fetches a row, so that no record's values enter a result.

GX's `success` means "no record breaks it"; whether a share is small enough is our verdict, kept beside it in `meta`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from include.config.checks import CheckDefinition
from include.quality.light_import import import_great_expectations
from include.quality.predicate import failing_query
from include.warehouse.health.assessments import IssueResult

_GX_SEVERITY = {"info": "info", "warning": "warning", "error": "warning", "critical": "critical"}

# What may be kept of a result: counts. Everything else of GX's can hold values of records.
_COUNTS = frozenset(
    {"element_count", "unexpected_count", "unexpected_percent", "missing_count", "missing_percent"}
    | {"unexpected_percent_total", "unexpected_percent_nonmissing"}
)
# Whose `observed_value` is of everybody. The greatest, the median or the most common value is somebody's own.
_OF_EVERYBODY = frozenset({"headwater_failing_rows"}) | {
    f"expect_{name}"
    for name in (
        "column_mean_to_be_between", "column_proportion_of_non_null_values_to_be_between",
        "column_proportion_of_unique_values_to_be_between", "column_stdev_to_be_between", "column_sum_to_be_between",
        "column_unique_value_count_to_be_between", "table_column_count_to_be_between", "table_column_count_to_equal",
        "table_row_count_to_be_between", "table_row_count_to_equal", "table_row_count_to_equal_other_table",
    )
}  # fmt: skip


def build_suite(object: str, checks: Sequence[CheckDefinition], *, schema: str, now: datetime) -> Any:
    """Return the great_expectations.ExpectationSuite of one object."""
    import_great_expectations()
    from great_expectations import ExpectationSuite

    expectations = [_expectation(check, schema, now) for check in checks]
    return ExpectationSuite(name=object, expectations=expectations)


def _expectation(check: CheckDefinition, schema: str, now: datetime) -> Any:
    common: dict[str, Any] = {
        "description": check.title,
        "notes": check.why,
        "severity": _GX_SEVERITY[check.severity],
        "meta": {"check": check.check, "category": check.category, "severity": check.severity},
    }
    if check.expect is None:
        query = failing_query(check.predicate, schema=schema, now=now)
        return failing_rows_class()(unexpected_rows_query=query, **common)
    return expectation_class(check.expect.type)(**check.expect.arguments, **common)


@cache
def _classes() -> Mapping[str, Any]:
    import_great_expectations()
    import great_expectations.expectations as gxe

    return {name.casefold(): getattr(gxe, name) for name in dir(gxe) if name.startswith("Expect")}


def expectation_class(name: str) -> Any:
    """Return Great Expectations' class of an expectation by the name that definitions give it.

    Raises:
        KeyError: there is none.
    """
    return _classes()[name.replace("_", "").casefold()]


@cache
def failing_rows_class() -> Any:
    """Return the expectation class for SQL predicates; made at first use, because GX takes seconds to import."""
    import_great_expectations()
    from great_expectations.expectations import UnexpectedRowsExpectation

    class HeadwaterFailingRows(UnexpectedRowsExpectation):  # type: ignore[misc, unused-ignore]
        """Expect that a query finds no row of the batch."""

        metric_dependencies = ("unexpected_rows_query.row_count",)  # not `.table`, which fetches 200 rows

        def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
            count = metrics["unexpected_rows_query.row_count"]
            return {"success": count == 0, "result": {"observed_value": count}}

    return HeadwaterFailingRows


def counted(found: Mapping[str, Any]) -> int | None:
    """Return how many records a result of Great Expectations counts as unexpected; None where it counts none."""
    if found.get("element_count") == 0:
        return 0  # GX sums nothing to null and reports no count for an empty table
    count = found.get("unexpected_count", found.get("observed_value"))
    return int(count) if isinstance(count, int) else None


def observed(found: Mapping[str, Any]) -> str:
    """Return what Great Expectations saw of a whole object, where it is of everybody; else it may be a person's."""
    value = found.get("observed_value")
    return f"seen: {value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else ""


def without_values(validation: Mapping[str, Any]) -> dict[str, Any]:
    """Return a validation document with counts only: no samples, no text of an exception."""
    return dict(validation) | {
        "results": [
            dict(each)
            | {
                "result": _counts(each),
                "exception_info": {"raised_exception": _raised(each), "exception_traceback": None}
                | {"exception_message": None},
            }
            for each in validation["results"]
        ]
    }


def _counts(result: Mapping[str, Any]) -> dict[str, Any]:
    seen = result["result"].get("observed_value")
    kept = {name: value for name, value in result["result"].items() if name in _COUNTS}
    whole = result["expectation_config"]["type"] in _OF_EVERYBODY and isinstance(seen, int | float)
    return kept | ({"observed_value": seen} if whole else {})


def with_verdicts(validation: Mapping[str, Any], issues: Mapping[str, IssueResult]) -> dict[str, Any]:
    """Return a validation document with our verdict, share and threshold in the `meta` of each result."""
    results = []
    for each in validation["results"]:
        issue = issues[each["expectation_config"]["meta"]["check"]]
        verdict = {"verdict": issue.verdict, "share": issue.share, "max_share": issue.max_share}
        results.append(dict(each) | {"meta": dict(each.get("meta") or {}) | verdict})
    return dict(validation) | {"results": results}


def _raised(result: Mapping[str, Any]) -> bool:
    return "result" not in result or not result["result"]

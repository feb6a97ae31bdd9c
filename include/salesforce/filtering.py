"""Turn the filter of a definition into SOQL; pure. Values and names get in through `soql` alone."""

from __future__ import annotations

from include.config.filters import AllOf, AnyOf, Comparison
from include.salesforce.soql import all_of, any_of, condition, member


def conditions_of(conditions: tuple[Comparison | AnyOf | AllOf, ...]) -> list[str]:
    """Return one SOQL condition for each of a filter's; a record must meet all of them.

    Raises:
        ValueError: a value that SOQL cannot compare with.
    """
    return [_written(each) for each in conditions]


def _written(each: Comparison | AnyOf | AllOf) -> str:
    if isinstance(each, AnyOf):
        return any_of([_written(one) for one in each.any])
    if isinstance(each, AllOf):
        inside = all_of([_written(one) for one in each.all])
        return f"({inside})" if len(each.all) > 1 else inside
    operator = each.operator.upper()
    if isinstance(each.value, tuple):
        return member(each.field, operator, each.value)
    return condition(each.field, operator, each.value)

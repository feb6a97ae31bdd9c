"""What Salesforce says about a query it can't take: the code, the words, and where in the text."""

from __future__ import annotations

from include.sandbox.org.refusals import Refusal

_BEFORE, _AFTER = 60, 60


def complain(code: str, query: str, position: int, message: str) -> Refusal:
    """Return the refusal of a query, with the excerpt and the caret that the REST API prints."""
    row = query.count("\n", 0, position) + 1
    line_start = query.rfind("\n", 0, position) + 1
    line_end = query.find("\n", position)
    line = query[line_start : line_end if line_end >= 0 else len(query)]
    column = position - line_start
    start = max(0, column - _BEFORE)
    excerpt = line[start : column + _AFTER]
    caret = " " * (column - start) + "^"
    return Refusal(400, code, f"\n{excerpt}\n{caret}\nERROR at Row:{row}:Column:{column + 1}\n{message}")


def malformed(query: str, position: int, message: str) -> Refusal:
    """Return the refusal of a text that is no SOQL."""
    return complain("MALFORMED_QUERY", query, position, message)

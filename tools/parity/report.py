"""The table of what was compared, and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from tools.parity.story import Told
from tools.peers.report import table

_SHOWN = 20


def report(told: Told) -> str:
    """Return everything as text."""
    rows = [
        [
            "when",
            "reader",
            "way",
            "records",
            "of them deleted",
            "values",
            "moved meanwhile",
            "CR LF folded by it",
            "equal",
        ]
    ]
    for each in told.compared:
        found = each.agreement
        rows.append(
            [each.stage, each.reader, each.way, f"{found.records:,}", f"{found.deleted:,}", f"{found.values:,}",
             f"{found.moved:,}", f"{found.folded:,}", "NO" if found.wrong else "yes"]
        )  # fmt: skip
    said = [
        "Headwater's warehouse and what other clients read of the same org",
        table(rows),
        f"While people made {told.changes:,} changes, {told.runs} runs of the extract read {told.read:,} rows.",
        f"After they stopped, the comparison of all Ids mended: {told.mended or 'nothing'}.",
        _verdict(told),
    ]
    return "\n\n".join(said) + "\n"


def exit_status(told: Told) -> int:
    """Return 1 when something differs, or when not a single record was compared."""
    compared = sum(each.agreement.records for each in told.compared)
    return 0 if compared and not any(each.agreement.wrong for each in told.compared) else 1


def _verdict(told: Told) -> str:
    wrong = [f"  {each.stage}, {each.way}: {line}" for each in told.compared for line in each.agreement.wrong]
    if not wrong:
        return "Every comparison was equal." if told.compared else "Nothing was compared."
    return "\n".join([f"Wrong ({len(wrong)}):", *_some(wrong)])


def _some(lines: Sequence[str]) -> list[str]:
    more = len(lines) - _SHOWN
    return [*lines[:_SHOWN], *([f"  and {more:,} more"] if more > 0 else [])]

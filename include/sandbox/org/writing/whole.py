"""Several writes that succeed or fail as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from include.sandbox.org.writing.drafts import ROLLED_BACK
from include.sandbox.org.writing.results import SaveResult

if TYPE_CHECKING:
    from include.sandbox.org.org import Org


class _Undone(Exception):
    """Leave the open transaction without a trace."""


def kept(org: Org, work: Callable[[], bool]) -> bool:
    """Work inside one transaction; what it wrote is taken back unless it says that all went well."""
    try:
        with org.database.write():
            _undo_unless(all_well=work())
    except _Undone:
        return False
    return True


def _undo_unless(*, all_well: bool) -> None:
    if not all_well:
        raise _Undone


def one_for_all(org: Org, save: Callable[[], list[SaveResult]]) -> list[SaveResult]:
    """Save records of several objects; if one is refused, none is written, and the others say so."""
    results: list[SaveResult] = []

    def work() -> bool:
        results.extend(save())
        return all(each.success for each in results)

    if kept(org, work):
        return results
    return [
        replace(each, id=None if each.created else each.id, created=False, errors=(ROLLED_BACK,))
        if each.success
        else each
        for each in results
    ]

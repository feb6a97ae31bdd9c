"""Compare an org's people by probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headwater.runs import now_utc

if TYPE_CHECKING:
    from airflow.sdk import Context


class FindProbableDuplicatesOperator(BaseOperator):
    """Let Splink compare the people of the objects that the org names, and keep the pairs that are probably one.

    :param org: name of the org's definition.
    """

    template_fields: Sequence[str] = ("org",)
    ui_color = "#fde68a"

    def __init__(self, *, org: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.org = org

    def execute(self, context: Context) -> dict[str, dict[str, int]]:
        """Return, for each object, how many candidates there were and how many pairs came and went."""
        from headwater.hooks import org_definition, warehouse_engine
        from include.quality.probable import find_probable

        found = find_probable(warehouse_engine(), org_definition(self.org), now=now_utc())
        return {
            object: {"candidates": each.candidates, "found": each.pairs.found, "lost": each.pairs.lost}
            for object, each in found.items()
        }

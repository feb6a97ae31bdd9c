"""Stop a push whose source is not healthy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from headwater.failures import says_why_it_failed
from headwater.runs import now_utc, parameter
from include.errors import GateClosed

if TYPE_CHECKING:
    from airflow.sdk import Context


class HealthGateOperator(BaseOperator):
    """Fail when a critical check of the push's object is over its threshold, or the assessment is missing or old.

    :param push: name of the push's definition.
    :param override_gate: let the push through whatever the assessment says; the run's parameter overrides it.
    """

    template_fields: Sequence[str] = ("push",)
    ui_color = "#fde68a"

    def __init__(self, *, push: str, override_gate: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.push = push
        self.override_gate = override_gate

    @says_why_it_failed
    def execute(self, context: Context) -> str:
        """Return why the gate is open."""
        from headwater.hooks import checks, push_definition, warehouse_engine
        from include.quality.gate import judge_gate

        override = bool(parameter(context, "override_gate", self.override_gate))
        push = push_definition(self.push)
        verdict = judge_gate(warehouse_engine(), push, checks(), override=override, now=now_utc())
        if not verdict.open:
            raise GateClosed(verdict.reason)
        return verdict.reason

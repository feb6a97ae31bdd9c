"""Let a person decide about a push that a guard stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import ApprovalOperator

if TYPE_CHECKING:
    from airflow.sdk import Context


class ApprovePushOperator(ApprovalOperator):
    """Wait for a person's approval when the selection's guard asks for it; otherwise go straight on.

    A rejection skips the delivery and marks every selected record *held*.

    :param push: name of the push's definition.
    :param selection: what the select task returned.
    """

    template_fields = (*ApprovalOperator.template_fields, "selection")
    ui_color = "#fde68a"

    def __init__(self, *, push: str, selection: Any, **kwargs: Any) -> None:
        kwargs.setdefault("subject", f"Send the push {push}?")
        kwargs.setdefault(
            "body", "{{ ti.xcom_pull(task_ids='select')['guard'] }}\n\n*Approve* sends it; *Reject* holds it."
        )
        super().__init__(**kwargs)
        self.push = push
        self.selection = selection

    def execute(self, context: Context) -> Any:
        """Ask, or go on when no guard does."""
        if not self.selection["guard"]:
            self.log.info("No guard asks for approval")
            return None
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Take the answer: a rejection is recorded before the delivery is skipped."""
        from headwater.hooks import warehouse_engine
        from include.activation.deliver import hold_push

        if event.get("chosen_options") == [self.REJECT]:
            hold_push(warehouse_engine(), run_id=self.selection["run_id"], cause="not approved")
        return super().execute_complete(context, event)

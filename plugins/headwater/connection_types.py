"""Do what the Test button of a platform's connection does; `include.config.connection_types` names these classes."""

from __future__ import annotations

from typing import Any, ClassVar

from airflow.sdk import BaseHook


class _PlatformHook(BaseHook):
    """Test the connection to one platform; pushes do not use it."""

    conn_name_attr = "conn_id"
    conn_type: ClassVar[str] = ""
    hook_name: ClassVar[str] = ""

    def __init__(self, conn_id: str) -> None:
        super().__init__()
        self.conn_id = conn_id

    def get_conn(self) -> Any:
        """Return the platform behind the connection."""
        from headwater.hooks import open_unpaced

        return open_unpaced(self.conn_type, self.conn_id)

    def test_connection(self) -> tuple[bool, str]:
        """Make one reading call, and say what is wrong and what to do."""
        from include.errors import HeadwaterError

        try:
            self.get_conn().test()
        except HeadwaterError as error:
            return False, str(error)
        return True, f"{self.hook_name} takes the credentials; nothing was changed there"


class InsiderOneHook(_PlatformHook):
    """Test a connection to Insider One."""

    conn_type = "insider_one"
    hook_name = "Insider One"


class IntercomHook(_PlatformHook):
    """Test a connection to Intercom."""

    conn_type = "intercom"
    hook_name = "Intercom"


class KlaviyoHook(_PlatformHook):
    """Test a connection to Klaviyo."""

    conn_type = "klaviyo"
    hook_name = "Klaviyo"


class HubSpotHook(_PlatformHook):
    """Test a connection to HubSpot."""

    conn_type = "hubspot"
    hook_name = "HubSpot"


class BrazeHook(_PlatformHook):
    """Test a connection to Braze."""

    conn_type = "braze"
    hook_name = "Braze"


class WebhookHook(_PlatformHook):
    """Test a connection to a receiver of signed webhooks."""

    conn_type = "webhook"
    hook_name = "Signed webhook"

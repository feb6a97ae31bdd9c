"""The fixtures of the operators' tests."""

from tests.headwater.connected import sandboxes, site

__all__ = ["sandboxes", "site"]

"""Which hosts the org answers for over TLS."""

from __future__ import annotations

LOCAL_NAMES = ("localhost",)
LOCAL_ADDRESSES = ("127.0.0.1", "::1")
# A star stands for one label, as in certificates; sandboxes and scratch orgs have a label more than production.
SALESFORCE_NAMES = (
    "login.salesforce.com",
    "test.salesforce.com",
    "*.salesforce.com",
    "*.my.salesforce.com",
    "*.sandbox.my.salesforce.com",
    "*.develop.my.salesforce.com",
    "*.scratch.my.salesforce.com",
)
MY_DOMAIN = "headwater.my.salesforce.com"
_SIGN_IN_HOSTS = ("login.salesforce.com", "test.salesforce.com")


def own_host(host: str) -> str:
    """Return the host that answers carry: as Salesforce does, the org's own one to who asks where all sign in."""
    return MY_DOMAIN if host.lower().removesuffix(":443") in _SIGN_IN_HOSTS else host


def is_salesforce(host: str) -> bool:
    """Say whether a host is one of Salesforce's that the certificate names."""
    labels = host.lower().split(".")
    return all(labels) and any(_matches(labels, name.split(".")) for name in SALESFORCE_NAMES)


def _matches(labels: list[str], name: list[str]) -> bool:
    if len(labels) != len(name):
        return False
    return all(wanted in ("*", label) for label, wanted in zip(labels, name, strict=True))
